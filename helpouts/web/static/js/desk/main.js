// On every page of an expert who is available, and of a customer who waits: the desk's socket, and what it brings.
import {DeskSocket} from "./socket.js";
import {Ring} from "./ring.js";
import * as sound from "./sound.js";

const desk = document.getElementById("desk");
const texts = JSON.parse(document.getElementById("desk-texts").textContent);
const note = desk.querySelector("[data-desk-note]");
const ring = new Ring({texts, offerUrl: desk.dataset.offerUrl, csrf: desk.dataset.csrf});

if ("open" in desk.dataset) {
  const socket = new DeskSocket({ticketUrl: desk.dataset.ticketUrl, csrf: desk.dataset.csrf});
  socket.addEventListener("state", ({detail}) => {
    desk.dataset.connected = "";
    if (note && "on" in desk.dataset) note.textContent = detail.on ? texts.online : texts.off;
    ring.show(detail.rings[0]);
    document.dispatchEvent(new CustomEvent("desk:state", {detail}));
    // Elsewhere than on the waiting page, a waiting customer is led back as soon as somebody answers.
    if (detail.request?.mark.startsWith("accepted") && desk.dataset.waitUrl && !document.getElementById("now") && !document.getElementById("room")) {
      location.assign(desk.dataset.waitUrl);
    }
  });
  socket.addEventListener("lost", () => {
    delete desk.dataset.connected;
    if (note && "on" in desk.dataset) note.textContent = texts.offline;
    document.dispatchEvent(new CustomEvent("desk:lost"));
  });
  socket.open();
}

if ("on" in desk.dataset) {
  const soundButton = desk.querySelector("[data-desk-sound]"), notifyButton = desk.querySelector("[data-desk-notify]");
  const unlock = async () => { if (soundButton) soundButton.hidden = await sound.unlock().catch(() => false); };
  unlock();
  for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, unlock, {once: true});
  soundButton?.addEventListener("click", unlock);
  if (notifyButton && "Notification" in window && Notification.permission === "default") {
    notifyButton.hidden = false;
    notifyButton.addEventListener("click", async () => { await Notification.requestPermission(); notifyButton.hidden = true; });
  }
}
