// From the device check into the call and out of it: media, who is there, the meter, the first controls.

import {Call} from "../call.js";
import {Devices} from "../devices.js";
import {Meter} from "../meter.js";

export function setUpCall(room) {
  const {root, settings, texts, own, socket} = room;
  const devices = new Devices(root, texts, {facing: settings.facing});
  const call = new Call(root, devices, socket);
  const meter = new Meter(root, settings);
  room.devices = devices;
  room.call = call;
  room.meter = meter;
  let joined = false, over = false, peerHere = null;

  // -- before joining ------------------------------------------------------------------------------------------

  room.find("join").addEventListener("click", () => {
    joined = true;
    devices.settle();
    own.camera = Boolean(devices.video);
    room.stage("call");
    controls();
    room.status("connecting");
    socket.open();
  });
  room.find("beep").addEventListener("click", () => devices.beep());
  room.find("retry").addEventListener("click", check);

  async function check() {
    room.find("join").disabled = true;
    const ready = await devices.start();
    room.find("join").disabled = !ready;
    room.find("retry").hidden = ready && Boolean(devices.video);
  }

  // -- what the server says ------------------------------------------------------------------------------------

  room.on("welcome", (message) => {
    room.changed();
    peerHere = null;
    peer(message.peer);
    media(message);
  });
  room.on("grant", media);
  room.on("peer", peer);
  room.on("state", peerState);
  room.on("meter", (message) => meter.set(message));
  room.on("signal", (message) => call.signal(message.data));
  room.on("ended", ended);
  room.on("error", (message) => room.tell(message.message));
  socket.addEventListener("dropped", () => { call.pause(); meter.pause(); room.status("reconnecting", "warning"); });
  socket.addEventListener("unavailable", () => room.status("unavailable", "warning"));
  socket.addEventListener("replaced", () => { call.close(); devices.stop(); room.status("replaced", "danger"); });
  socket.addEventListener("ended", ended);
  socket.addEventListener("refused", ended); // the booking's page says what has happened

  function media({transport, retry_after: seconds}) {
    if (!transport) room.status("unavailable", "warning");
    call.join(transport, seconds);
  }

  function peer({present, state}) {
    if (present !== peerHere) room.status(present ? "peer_here" : peerHere === null ? "waiting" : "peer_left", present ? "success" : "info");
    peerHere = present;
    root.dataset.peer = present;
    call.peerPresent(present);
    if (state) peerState(state);
  }

  function peerState({mic = true, camera = true, screen = false}) {
    root.dataset.peerCamera = camera;
    root.dataset.peerScreen = screen;
    const line = room.find("peer-state");
    line.textContent = [!mic && room.say("peer_muted"), !camera && room.say("peer_camera_off")].filter(Boolean).join(" ");
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
    else if (detail === "connected") room.status(peerHere ? null : "waiting");
  });
  call.addEventListener("quality", ({detail}) => {
    const sign = room.find("quality");
    sign.dataset.quality = detail.quality;
    sign.querySelector("[data-quality-text]").textContent = texts[`quality_${detail.quality}`];
  });
  call.addEventListener("sharing", ({detail}) => { own.screen = detail; room.changed(); });
  call.addEventListener("blocked", () => addEventListener("click", () => room.find("remote").play(), {once: true}));

  // -- controls ------------------------------------------------------------------------------------------------

  room.action("mic", () => { own.mic = !own.mic; devices.audio.enabled = own.mic; });
  room.action("camera", () => { if (devices.video) { own.camera = !own.camera; devices.video.enabled = own.camera; } });
  room.action("screen", async () => { own.screen = await call.share(!own.screen).catch(() => false); });
  room.action("flip", () => devices.flip());
  room.action("more", () => room.toggle("more"));
  room.action("leave", () => leave(settings.summaryUrl));
  room.action("report", () => leave(settings.reportUrl));
  room.action("end", () => { if (confirm(texts.confirm_end)) room.send({type: "end"}); });
  room.addEventListener("changed", controls);

  function leave(url) { call.close(); devices.stop(); socket.close(); location.assign(url); }

  function controls() {
    for (const kind of ["mic", "camera", "screen"]) {
      const button = room.control(kind);
      if (!button) continue;
      const label = texts[`${kind}_${own[kind] ? "on" : "off"}`];
      button.dataset.on = own[kind];
      button.querySelector("[data-label]").textContent = label;
      button.title = label;
    }
    root.dataset.camera = own.camera;
    root.dataset.facing = devices.facing;
    room.control("flip").closest("li").hidden = devices.cameras < 2;
  }

  addEventListener("beforeunload", () => { if (joined) socket.close(); });
  if (!("getDisplayMedia" in (navigator.mediaDevices ?? {}))) room.control("screen")?.remove();
  room.stage("check");
  check();
}
