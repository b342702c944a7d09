// The panel of the shared notes: a text area whose text changes under our hands without moving them.

import {Notes} from "../notes.js";
import {apply} from "../text-changes.js";

export function setUpNotes(room) {
  const field = room.find("notes-text"), state = room.find("notes-state");
  let typed = null;
  const notes = new Notes({
    me: room.settings.me,
    send: (message) => room.send(message),
    show: (change, text) => {
      const {selectionStart: start, selectionEnd: end, selectionDirection: direction, scrollTop} = field;
      const [, [from, to]] = change ? apply(field.value, change, [start, end]) : [text, [start, end]];
      field.value = text;
      field.setSelectionRange(from, to, direction);
      field.scrollTop = scrollTop;
      if (change) news();
    },
  });

  /** What cannot be kept is not typed: characters that no database takes. */
  const clean = (text) => text.toWellFormed().replaceAll("\0", "");

  field.addEventListener("input", () => {
    if (clean(field.value) !== field.value) field.value = clean(field.value);
    clearTimeout(typed);
    typed = setTimeout(() => { notes.write(field.value); tell(); }, 120); // a few letters make one change
  });

  /** Before anything comes in, what was typed counts. */
  function settle() {
    clearTimeout(typed);
    notes.write(field.value);
  }

  function tell(text = room.say(notes.saved ? "notes_saved" : "notes_saving")) { state.textContent = text; }

  function news() {
    if (room.root.dataset.panel !== "notes") room.find("notes-news").hidden = false;
  }

  room.on("welcome", (message) => { settle(); notes.welcome(message.notes); field.readOnly = false; tell(); });
  room.on("notes", (message) => { settle(); notes.receive(message); tell(); });
  room.on("notes_since", (message) => { settle(); notes.missed(message); tell(); });
  room.on("notes_refused", (message) => { clearTimeout(typed); notes.refused(message); tell(message.message); });
  room.socket.addEventListener("dropped", () => { notes.pause(); tell(room.say("notes_offline")); });
  room.action("notes", () => room.toggle("notes"));
  room.addEventListener("panel", ({detail}) => {
    if (detail !== "notes") return;
    room.find("notes-news").hidden = true;
    field.focus();
  });
}
