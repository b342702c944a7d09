// The room page: device check, then the call.  The pieces know nothing of each other; they meet here.

import {Call} from "./call.js";
import {Chat} from "./chat.js";
import {Devices} from "./devices.js";
import {Meter} from "./meter.js";
import {RoomSocket} from "./socket.js";

const root = document.getElementById("room");
const settings = JSON.parse(document.getElementById("room-settings").textContent);
const {texts} = settings;
const say = (key) => texts[key].replace("%(name)s", settings.peerName);
const find = (name) => root.querySelector(`[data-${name}]`);

const devices = new Devices(root, texts, {facing: settings.facing});
const socket = new RoomSocket({ticketUrl: settings.ticketUrl, csrf: settings.csrf});
const call = new Call(root, devices, socket);
const meter = new Meter(root, settings);
const chat = new Chat(root, {
  me: settings.me, names: {[settings.peer]: settings.peerName}, texts, locale: settings.locale,
  send: (message) => socket.send(message), onarrival: () => unread(),
});
const own = {mic: true, camera: true, screen: false};
let joined = false, over = false, peerHere = null, unreadCount = 0;

function status(key, tone = "info") {
  const line = find("status");
  line.textContent = key ? say(key) : "";
  line.dataset.tone = tone;
  line.hidden = !key;
}

function stage(name) {
  root.dataset.stage = name;
  for (const part of root.querySelectorAll("[data-stage-part]")) part.hidden = part.dataset.stagePart !== name;
}

// -- before joining --------------------------------------------------------------------------------------------

find("join").addEventListener("click", () => {
  joined = true;
  devices.settle();
  own.camera = Boolean(devices.video);
  stage("call");
  controls();
  status("connecting");
  socket.open();
});
find("beep").addEventListener("click", () => devices.beep());
find("retry").addEventListener("click", check);

async function check() {
  find("join").disabled = true;
  const ready = await devices.start();
  find("join").disabled = !ready;
  find("retry").hidden = ready && Boolean(devices.video);
}

// -- what the server says --------------------------------------------------------------------------------------

const heard = {
  welcome: (message) => {
    for (const line of message.chat) chat.receive(line);
    chat.resend();
    socket.send({type: "state", ...own});
    peerHere = null;
    peer(message.peer);
    media(message);
  },
  grant: media,
  peer,
  chat: (message) => chat.receive(message),
  meter: (message) => meter.set(message),
  state: (message) => peerState(message),
  signal: (message) => call.signal(message.data),
  ended,
  error: (message) => { find("status").textContent = message.message; find("status").hidden = false; },
};
socket.addEventListener("message", ({detail}) => heard[detail.type]?.(detail));
socket.addEventListener("dropped", () => { chat.pause(); call.pause(); meter.pause(); status("reconnecting", "warning"); });
socket.addEventListener("unavailable", () => status("unavailable", "warning"));
socket.addEventListener("replaced", () => { call.close(); devices.stop(); status("replaced", "danger"); });
socket.addEventListener("ended", ended);
socket.addEventListener("refused", ended); // the booking's page says what has happened

function media({transport, retry_after: seconds}) {
  if (!transport) status("unavailable", "warning");
  call.join(transport, seconds);
}

function peer({present, state}) {
  if (present !== peerHere) status(present ? "peer_here" : peerHere === null ? "waiting" : "peer_left", present ? "success" : "info");
  peerHere = present;
  root.dataset.peer = present;
  call.peerPresent(present);
  if (state) peerState(state);
}

function peerState({mic = true, camera = true, screen = false}) {
  root.dataset.peerCamera = camera;
  root.dataset.peerScreen = screen;
  const line = find("peer-state");
  line.textContent = [!mic && say("peer_muted"), !camera && say("peer_camera_off")].filter(Boolean).join(" ");
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
  if (detail === "reconnecting") status("reconnecting", "warning");
  else if (detail === "connected" && peerHere) status(null);
  else if (detail === "connected") status("waiting");
});
call.addEventListener("quality", ({detail}) => {
  const sign = find("quality");
  sign.dataset.quality = detail.quality;
  sign.querySelector("[data-quality-text]").textContent = texts[`quality_${detail.quality}`];
});
call.addEventListener("sharing", ({detail}) => { own.screen = detail; controls(); socket.send({type: "state", ...own}); });
call.addEventListener("blocked", () => addEventListener("click", () => find("remote").play(), {once: true}));

// -- controls --------------------------------------------------------------------------------------------------

const actions = {
  mic: () => { own.mic = !own.mic; devices.audio.enabled = own.mic; },
  camera: () => { if (devices.video) { own.camera = !own.camera; devices.video.enabled = own.camera; } },
  screen: async () => { own.screen = await call.share(!own.screen).catch(() => false); },
  flip: () => devices.flip(),
  chat: () => toggleChat(),
  leave: () => { call.close(); socket.close(); devices.stop(); location.assign(settings.summaryUrl); },
  end: () => { if (confirm(texts.confirm_end)) socket.send({type: "end"}); },
};
for (const button of root.querySelectorAll("[data-control]")) {
  button.addEventListener("click", async () => {
    await actions[button.dataset.control]();
    controls();
    socket.send({type: "state", ...own});
  });
}

function controls() {
  for (const kind of ["mic", "camera", "screen"]) {
    const button = root.querySelector(`[data-control="${kind}"]`);
    if (!button) continue;
    const label = texts[`${kind}_${own[kind] ? "on" : "off"}`];
    button.dataset.on = own[kind];
    button.querySelector("[data-label]").textContent = label;
    button.title = label;
  }
  root.dataset.camera = own.camera;
  root.dataset.facing = devices.facing;
}

function toggleChat() {
  const open = root.dataset.chat !== "open";
  root.dataset.chat = open ? "open" : "closed";
  root.querySelector('[data-control="chat"]').setAttribute("aria-expanded", open);
  if (open) { unreadCount = 0; find("unread").hidden = true; find("chat-form").querySelector("textarea").focus(); }
}

function unread() {
  if (root.dataset.chat === "open") return;
  find("unread").textContent = ++unreadCount;
  find("unread").hidden = false;
}

addEventListener("beforeunload", () => { if (joined) socket.close(); });
if (!("getDisplayMedia" in (navigator.mediaDevices ?? {}))) root.querySelector('[data-control="screen"]')?.remove();
stage("check");
check();
