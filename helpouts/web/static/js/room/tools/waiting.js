// The waiting room: who is expected and when it begins, until the other side has come for the first time.

import {play} from "../sound.js";

const ARRIVAL_NOTES = [659, 880];

export function setUpWaiting(room) {
  const {settings} = room;
  const card = room.find("waiting"), countdown = room.find("countdown");
  const title = document.title;
  let timer = null;

  function tick() {
    if (room.meter.seconds) return hide(); // they have been here before this page was opened
    const left = Math.ceil((Date.parse(settings.startsAt) - Date.now()) / 1000);
    const parts = [Math.floor(left / 60), left % 60].map((part) => String(part).padStart(2, "0"));
    countdown.textContent = left > 0 ? room.say("begins_in", {time: parts.join(":")}) : room.say("has_begun");
  }

  function hide() {
    clearInterval(timer);
    card.hidden = true;
    room.root.dataset.waiting = false;
  }

  room.addEventListener("peer", ({detail: {present, before}}) => {
    if (present || before !== null) hide();
    else {
      card.hidden = false;
      room.root.dataset.waiting = true;
      timer = setInterval(tick, 1000);
      tick();
    }
    if (!present) return;
    play(ARRIVAL_NOTES, room.devices.speaker);
    if (document.hidden) document.title = `${room.say("peer_here")} ${title}`;
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) document.title = title; });
}
