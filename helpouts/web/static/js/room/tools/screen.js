// Sharing the screen, with its sound where the browser gives it.

import {Mixer} from "../sound.js";

// Sound of ours that the browser would play is left out, so that the other side does not hear itself.
const WISHES = {
  video: {frameRate: 15},
  audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false, restrictOwnAudio: true},
  systemAudio: "include", selfBrowserSurface: "exclude", surfaceSwitching: "include",
};

export function setUpScreen(room) {
  const {own, call, media, devices} = room;
  let stream = null, mixer = null;

  async function begin() {
    try {
      stream = await navigator.mediaDevices.getDisplayMedia(WISHES);
    } catch (error) {
      if (error.name !== "NotAllowedError") room.status("no_screen", "warning");
      return;
    }
    const [picture] = stream.getVideoTracks(), [sound] = stream.getAudioTracks();
    picture.contentHint = "detail";
    picture.addEventListener("ended", () => { if (stream?.active !== undefined && own.screen) { end(); room.changed(); } });
    if (sound) {
      mixer = new Mixer(sound);
      mixer.voice(devices.audio);
      media.sound = mixer.track;
      media.send();
    }
    await call.send("screen", picture);
    own.screen = true;
    room.find("sharing-text").textContent = room.say(sound ? "sharing_with_sound" : "sharing");
    room.announce(sound ? "sharing_with_sound" : "sharing");
  }

  function end() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    own.screen = false;
    call.send("screen", null);
    if (mixer) {
      media.sound = null;
      media.send();
      mixer.close();
      mixer = null;
    }
    room.status("sharing_ended");
  }

  devices.addEventListener("change", ({detail: {kind, track}}) => { if (kind === "audio") mixer?.voice(track); });
  room.action("screen", () => (own.screen ? end() : begin()));
  room.addEventListener("changed", () => { room.find("sharing").hidden = !own.screen; });
  if (!("getDisplayMedia" in (navigator.mediaDevices ?? {}))) room.offer("screen", false);
}
