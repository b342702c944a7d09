"""The sentences that the room's script shows, in the language in force."""

from __future__ import annotations

from helpouts.i18n import gettext as _


def room_texts() -> dict[str, str]:
    """By key, as room.js asks for them."""
    return {
        "waiting": _("Waiting for %(name)s …"),
        "peer_here": _("%(name)s is here."),
        "peer_left": _("%(name)s is not connected at the moment."),
        "connecting": _("Connecting …"),
        "reconnecting": _("The connection dropped. We are bringing it back …"),
        "back": _("You are connected again."),
        "failed": _("The connection cannot be made. Check your network and reload the page."),
        "replaced": _("The session was opened in another window. Close this one."),
        "ended": _("The session is over."),
        "camera_blocked": _(
            "The browser does not let us use your camera. Allow it in the address bar, then try again."
        ),
        "microphone_blocked": _(
            "The browser does not let us use your microphone. Allow it in the address bar, then try again."
        ),
        "no_camera": _("No camera was found. You can take part with sound only."),
        "no_microphone": _("No microphone was found. Connect one, then try again."),
        "device_busy": _("Another program is using your camera. Close it, then try again."),
        "ready": _("You look and sound good."),
        "speak": _("Say something: the bar should move."),
        "quality_good": _("Good connection"),
        "quality_fair": _("Fair connection"),
        "quality_poor": _("Poor connection"),
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
