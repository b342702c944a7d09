"""The sentences that the room's script shows, in the language in force."""

from __future__ import annotations

from helpouts.i18n import gettext as _
from helpouts.sessions.chat import NOTICES


def room_texts() -> dict[str, str]:
    """By key, as room.js asks for them."""
    return (
        {
            "waiting": _("Waiting for %(name)s …"),
            "peer_here": _("%(name)s is here."),
            "peer_left": _("%(name)s is not connected at the moment."),
            "peer_away": _("The connection of %(name)s has a gap. Wait a moment …"),
            "connecting": _("Connecting …"),
            "reconnecting": _("The connection dropped. We are bringing it back …"),
            "back": _("You are connected again."),
            "failed": _("The connection cannot be made. Check your network and reload the page."),
            "replaced": _("The session was opened in another window. Close this one."),
            "ended": _("The session is over."),
            "ready": _("You look and sound good."),
            "speak": _("Say something: the bar should move."),
            "mic_on": _("Mute microphone"),
            "mic_off": _("Unmute microphone"),
            "camera_on": _("Turn camera off"),
            "camera_off": _("Turn camera on"),
            "screen_on": _("Stop sharing"),
            "screen_off": _("Share screen"),
            "chat_failed": _("Not sent yet. It will be sent when the connection is back."),
            "you": _("You"),
            "confirm_end": _("End the session for both of you?"),
            "peer_muted": _("%(name)s is muted."),
            "peer_camera_off": _("%(name)s has turned the camera off."),
            "unavailable": _("The video service does not answer at the moment. We keep trying."),
        }
        | _devices()
        | _network()
        | _call()
        | _tools()
        | _recording()
        | _support()
        | _notices()
    )


def operator_texts() -> dict[str, str]:
    """What the page of an operator in a room shows."""
    return {
        "connecting": _("Connecting …"),
        "connected": _("You are in the room. Both see your name."),
        "reconnecting": _("The connection dropped. We are bringing it back …"),
        "unavailable": _("The video service does not answer at the moment. We keep trying."),
        "replaced": _("The room was opened in another window. Close this one."),
        "ended": _("The session is over."),
        "out": _("You are not in the room any more."),
        "chat_failed": _("Not sent yet. It will be sent when the connection is back."),
        "you": _("You"),
        "snapshot": _("Snapshot"),
        "file_removed": _("Deleted"),
        "confirm_leave": _("Leave for good? They would have to ask an operator in again."),
        "person_here": _("connected"),
        "person_away": _("connection has a gap"),
        "person_gone": _("not connected"),
        "person_muted": _("microphone off"),
        "person_camera_off": _("camera off"),
        "person_sound_only": _("sound only"),
        "person_shares": _("shares the screen"),
    } | _notices()


def _notices() -> dict[str, str]:
    """Lines of the chat that nobody has written, and whose an operator's are."""
    found = {f"notice_{kind}": str(text) for kind, text in NOTICES.items()}
    return found | {"operator_named": _("Operator %(name)s")}


def _support() -> dict[str, str]:
    """An operator whom one of the two asks in."""
    return {
        "support_waiting": _("An operator is asked in. Nobody has come yet."),
        "support_asked": _("%(name)s has asked an operator in: %(reason)s"),
        "support_coming": _("Operator %(operator)s is on the way into the room."),
        "support_here": _("Operator %(operator)s is in the room and reads the chat."),
        "support_away": _("Operator %(operator)s is in this session, but not connected at the moment."),
        "support_back": _("Take back"),
        "support_dismiss": _("Ask to leave"),
        "support_withdrawn": _("The request for an operator is taken back."),
        "support_over": _("The operator is not in the room any more."),
    }


def _devices() -> dict[str, str]:
    """What is wrong with camera and microphone, and what to do."""
    return {
        "both_blocked": _(
            "The browser does not let us use your camera and microphone. Allow both in the address bar, then try again."
        ),
        "camera_blocked": _(
            "The browser does not let us use your camera. Allow it in the address bar, then try again."
        ),
        "microphone_blocked": _(
            "The browser does not let us use your microphone. Allow it in the address bar, then try again."
        ),
        "no_camera": _("No camera was found. You can take part with sound only."),
        "no_microphone": _("No microphone was found. Connect one, or take part without: you can listen and write."),
        "device_busy": _("Another program is using your camera. Close it, then try again."),
        "microphone_busy": _("Another program is using your microphone. Close it, then try again."),
        "no_speaker": _("This speaker cannot be used. Choose another one."),
        "camera_gone": _("Your camera is gone. Connect one to be seen again."),
        "camera_replaced": _("Your camera is gone. Now in use: %(device)s."),
        "microphone_gone": _("Your microphone is gone. Connect one to be heard again."),
        "microphone_replaced": _("Your microphone is gone. Now in use: %(device)s."),
        "camera_found": _("A camera was connected: %(device)s. Choose it under More."),
        "sound_found": _("A device was connected: %(device)s. Choose it under More."),
    }


def _network() -> dict[str, str]:
    """The verdict on the network before the call, and what to do."""
    return {
        "network_checking": _("Trying the network …"),
        "network_good": _("Your network is good enough for video."),
        "network_tcp": _(
            "Your network lets video through only on a slow way. It will work, but the picture may lag. "
            "Without a VPN or in another network it is better."
        ),
        "network_fair": _(
            "Sound will be fine, the picture may stutter. Stop downloads and other calls, or move closer to the router."
        ),
        "network_poor": _(
            "Your network is very slow: choose Sound only after joining, or try another network, "
            "such as your phone's hotspot."
        ),
        "network_blocked": _(
            "Video cannot get through this network. Turn off a VPN, or use another network, such as your phone's "
            "hotspot. In a company network, ask whoever looks after it to let video calls through."
        ),
        "network_unreachable": _("The video service does not answer. Check your network, then try again."),
    }


def _call() -> dict[str, str]:
    """During the call."""
    return {
        "begins_in": _("Begins in %(time)s"),
        "has_begun": _("The time has begun."),
        "quality_good": _("Good connection"),
        "quality_fair": _("Fair connection"),
        "quality_poor": _("Poor connection"),
        "quality_lost": _("No connection"),
        "slow_smaller": _("Your network is slow: the picture is smaller, the sound goes first."),
        "slow_poor": _("The connection is poor at the moment. Sound alone may work better."),
        "sound_only": _("Sound only. No pictures are sent, in either direction."),
        "sound_only_over": _("Pictures are sent again."),
        "peer_sound_only": _("%(name)s has chosen sound only."),
        "peer_shares": _("%(name)s is sharing the screen."),
        "sharing": _("You are sharing your screen."),
        "sharing_with_sound": _("You are sharing your screen with its sound."),
        "sharing_ended": _("You are not sharing your screen any more."),
        "no_screen": _("The screen could not be shared. Your system may have to allow it for the browser."),
        "no_pip": _("The browser could not open the window."),
        "mic_is_on": _("Microphone on"),
        "mic_is_off": _("Microphone off"),
        "camera_is_on": _("Camera on"),
        "camera_is_off": _("Camera off"),
        "limitation_none": _("Nothing"),
        "limitation_bandwidth": _("The network"),
        "limitation_cpu": _("The computer"),
        "limitation_other": _("Something else"),
    }


def _tools() -> dict[str, str]:
    """Of notes, files, drawing, and more minutes."""
    return {
        "notes_saved": _("Everything is kept."),
        "notes_saving": _("Saving …"),
        "notes_offline": _("Not connected: what you write is sent as soon as you are."),
        "file_too_large": _("%(file)s is too large: a file has at most %(most)s."),
        "file_empty": _("%(file)s is empty."),
        "file_sending": _("Sending %(file)s"),
        "file_cancel": _("Cancel"),
        "file_cancel_named": _("Do not send %(file)s"),
        "file_failed": _("%(file)s could not be sent."),
        "file_removed": _("Deleted"),
        "snapshot": _("Snapshot"),
        "snapshot_none": _("There is no picture of %(name)s at the moment."),
        "snapshot_told": _("%(name)s is told that you have taken a picture."),
        "snapshot_taken": _("%(name)s has taken a picture of your video."),
        "snapshot_failed": _("The picture could not be kept. Please try again."),
        "board_saving": _("Saving …"),
        "board_saved": _("The picture is kept with the session."),
        "board_text_help": _("Write the text, then click where it shall be."),
        "extend_offered": _("%(name)s offers %(minutes)s more minutes."),
        "extend_offered_priced": _("%(name)s offers %(minutes)s more minutes for %(price)s."),
        "extend_wanted": _("%(name)s asks for %(minutes)s more minutes."),
        "extend_wanted_priced": _("%(name)s asks for %(minutes)s more minutes for %(price)s."),
        "extend_asked": _("%(minutes)s more minutes: %(name)s is asked."),
        "extend_asked_priced": _("%(minutes)s more minutes for %(price)s: %(name)s is asked."),
        "extend_at_most": _("at most %(price)s"),
        "extend_agree": _("Agree"),
        "extend_no": _("No, thank you"),
        "extend_now": _("Extend the session"),
        "extend_later": _("Close"),
        "extend_take_back": _("Take back"),
        "extend_declined": _("%(name)s cannot stay longer."),
        "extend_declined_by_you": _("You have declined. The session ends as planned."),
        "extended": _("The session is %(minutes)s minutes longer."),
        "minutes": _("%(minutes)s minutes"),
        "ends_in": _("The session ends in %(minutes)s minutes."),
        "ends_in_one": _("The session ends in one minute."),
        "ends_over": _("The booked time is over."),
    }


def _recording() -> dict[str, str]:
    """Asking for consent to a recording, and how it stands."""
    return {
        "rec_start": _("Record the session"),
        "rec_stop": _("Stop the recording"),
        "rec_waiting": _("Do not record after all"),
        "rec_question": _("Record this session?"),
        "rec_wants": _("%(name)s would like to record this session."),
        "rec_running": _("This session is being recorded."),
        "rec_stopped": _("The recording has stopped."),
        "rec_declined": _("%(name)s does not want to be recorded."),
        "rec_adult": _("Only sessions of adults are recorded: confirm that you are 18 or older."),
    }
