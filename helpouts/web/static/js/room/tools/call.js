// Into the call and out of it: media, who is there, the meter, the first controls.

import {Call} from "../call.js";
import {Meter} from "../meter.js";

const PASSING = ["connecting", "reconnecting", "waiting", "unavailable"]; // over when the media stand

export function setUpCall(room) {
  const {root, settings, texts, own, socket, devices} = room;
  const call = room.call = new Call(root, socket);
  const meter = new Meter(root, settings);
  room.meter = meter;
  let joined = false, over = false, peerHere = null, theirs = {};
  let gap = false; // one of the two had lost only the way to the server
  socket.hello = () => ({media: call.held});

  devices.addEventListener("change", () => media.send());
  room.addEventListener("join", () => {
    joined = true;
    media.send();
    controls();
    room.status("connecting");
    socket.open();
  });

  // What is sent: parts of the room may put something in place of the microphone, or hold the camera back.
  const media = room.media = {
    sound: null, // a track in place of the microphone
    pictures: true,
    send() {
      if (!joined) return;
      call.send("audio", media.sound ?? devices.audio);
      call.send("video", media.pictures ? devices.video : null);
    },
  };

  // -- what the server says ------------------------------------------------------------------------------------

  room.on("welcome", (message) => {
    room.changed();
    gap = message.media === "kept";
    if (!gap) peerHere = null;
    admitted(message);
    peer(message.peer);
  });
  room.on("grant", admitted);
  room.on("peer", peer);
  room.on("state", peerState);
  room.on("meter", (message) => meter.set(message));
  room.on("signal", (message) => call.signal(message.data));
  room.on("ended", ended); // the booking's page says why, when an operator has ended it
  room.on("error", (message) => room.tell(message.message));
  socket.addEventListener("dropped", () => { call.pause(); meter.pause(); room.status("reconnecting", "warning"); });
  socket.addEventListener("unavailable", () => room.status("unavailable", "warning"));
  socket.addEventListener("replaced", () => { call.close(); devices.stop(); room.status("replaced", "danger"); });
  socket.addEventListener("ended", ended);
  socket.addEventListener("refused", ended); // the booking's page says what has happened

  function admitted({media: kept, transport, retry_after: seconds}) {
    if (kept === "kept") return call.resume();
    if (!transport) room.status("unavailable", "warning");
    call.join(transport, seconds);
  }

  // Who is away has only lost the way to the server: picture and sound of the two may go on without it.
  function peer({present, away, state}) {
    const there = present || Boolean(away);
    const now = away ? "peer_away" : present ? !gap && "peer_here" : peerHere === null ? "waiting" : "peer_left";
    if (there !== peerHere || gap || away) room.status(now || null, present ? "success" : "info");
    if (there !== peerHere) room.dispatchEvent(new CustomEvent("peer", {detail: {present: there, before: peerHere}}));
    peerHere = there;
    gap = Boolean(away);
    root.dataset.peer = there;
    call.peerPresent(there);
    if (state) peerState(state);
  }

  function peerState(state) {
    theirs = state;
    room.dispatchEvent(new CustomEvent("peerstate", {detail: state}));
    showPeer();
  }

  function showPeer() {
    const {mic = true, camera = true, screen = false, sound_only: soundOnly = false} = theirs;
    root.dataset.peerCamera = camera && !soundOnly && !own.sound_only;
    root.dataset.peerScreen = screen;
    const line = room.find("peer-state");
    line.textContent = [!mic && "peer_muted", soundOnly ? "peer_sound_only" : !camera && "peer_camera_off", screen && "peer_shares"]
      .filter(Boolean).map((key) => room.say(key)).join(" ");
    line.hidden = !line.textContent;
  }

  function ended() {
    if (over) return;
    over = true;
    call.close();
    devices.stop();
    location.assign(settings.summaryUrl);
  }

  call.addEventListener("state", ({detail}) => {
    root.dataset.media = detail;
    if (detail === "reconnecting") room.status("reconnecting", "warning");
    else if (detail === "connected" && !peerHere) room.status("waiting");
    else if (detail === "connected" && PASSING.includes(room.find("status").dataset.key)) room.status(null);
  });
  call.addEventListener("blocked", () => addEventListener("click", () => room.remote.play(), {once: true}));

  // -- controls ------------------------------------------------------------------------------------------------

  room.action("mic", () => toggle("mic", "audio"));
  room.action("camera", () => toggle("camera", "video"));
  room.action("more", () => room.toggle("more"));
  room.action("close", () => room.panel(null));
  room.action("leave", () => leave(settings.summaryUrl));
  room.action("report", () => leave(settings.reportUrl));
  room.action("end", () => { if (confirm(texts.confirm_end)) room.send({type: "end"}); });
  room.addEventListener("changed", () => { controls(); showPeer(); });

  function leave(url) { call.close(); devices.stop(); socket.close(); location.assign(url); }

  function toggle(name, kind) {
    if (!devices[kind]) return room.status(kind === "audio" ? "no_microphone" : "no_camera", "warning");
    own[name] = !own[name];
    devices.enable(kind, own[name]);
  }

  function controls() {
    for (const kind of ["mic", "camera", "screen"]) {
      const label = texts[`${kind}_${own[kind] ? "on" : "off"}`];
      for (const button of room.controls(kind)) {
        button.dataset.on = own[kind];
        button.querySelector("[data-label]").textContent = label;
        button.title = label;
      }
    }
    root.dataset.camera = own.camera && media.pictures;
  }

  addEventListener("beforeunload", () => { if (joined) socket.close(); });
}
