// The page of an operator whom one of the two has asked in: who is there, the chat since then, the way out.

import {Chat} from "./chat.js";
import {RoomSocket} from "./socket.js";

const root = document.getElementById("operator");
const settings = JSON.parse(document.getElementById("operator-settings").textContent);
const {texts} = settings;
const status = root.querySelector("[data-status]");
const socket = new RoomSocket(settings);
const chat = new Chat(root, {
  me: settings.me, names: settings.names, texts, locale: settings.locale, filesUrl: null, snapshotsUrl: null,
  send: (message) => socket.send(message), onarrival: null,
});
const handlers = {welcome, people: (message) => people(message.people), chat: (message) => chat.receive(message), error: (message) => say(message.message, "warning"),
  ended: () => over(texts.ended), support_over: () => over(texts.out)};
let done = false;

socket.addEventListener("message", ({detail}) => handlers[detail.type]?.(detail));
socket.addEventListener("dropped", () => { chat.pause(); if (!done) say(texts.reconnecting, "warning"); });
socket.addEventListener("unavailable", ({detail}) => say(detail || texts.unavailable, "warning"));
socket.addEventListener("replaced", () => over(texts.replaced));
socket.addEventListener("ended", () => over(texts.out));
socket.addEventListener("refused", ({detail}) => over(detail || texts.out));

function welcome(message) {
  people(message.people);
  for (const line of message.chat) chat.receive(line);
  chat.resend();
  say(texts.connected, "success");
}

function people(all) {
  for (const [id, person] of Object.entries(all)) {
    const row = root.querySelector(`[data-person="${id}"]`), {mic = true, camera = true, screen = false, sound_only: soundOnly = false} = person.state;
    const parts = person.present
      ? ["person_here", !mic && "person_muted", soundOnly ? "person_sound_only" : !camera && "person_camera_off", screen && "person_shares"]
      : [person.away ? "person_away" : "person_gone"];
    row.dataset.here = person.present;
    row.querySelector("[data-person-state]").textContent = parts.filter(Boolean).map((key) => texts[key]).join(", ");
  }
}

function say(text, tone) {
  status.textContent = text;
  status.dataset.tone = tone;
}

/** No way back into this room; what was read stays on the page. */
function over(text) {
  if (done) return;
  done = true;
  say(text, "info");
  for (const part of root.querySelectorAll("[data-live]")) part.hidden = true;
  for (const row of root.querySelectorAll("[data-person]")) { // we do not hear any more who is here
    row.dataset.here = false;
    row.querySelector("[data-person-state]").textContent = "";
  }
  const way = root.querySelector("[data-over]");
  way.hidden = false;
  way.querySelector("a").focus();
}

root.querySelector("[data-leave]").addEventListener("click", () => { if (confirm(texts.confirm_leave)) socket.send({type: "support_leave"}); });
root.querySelector("[data-end-form]").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send({type: "support_end", reason: root.querySelector("#end-reason").value});
});
addEventListener("beforeunload", () => { if (!done) socket.close(); });
say(texts.connecting, "info");
socket.open();
