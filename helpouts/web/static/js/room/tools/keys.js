// M and V for microphone and camera, as the page says; off in text fields, with another key held, and by choice
// (WCAG 2.2, 2.1.4).

const KEYS = {m: "mic", v: "camera"};
const STORED = "room-keys";

export function setUpKeys(room) {
  let on = localStorage.getItem(STORED) !== "off";

  document.addEventListener("keydown", (event) => {
    const name = KEYS[event.key.toLowerCase()];
    if (!name || !on || room.root.dataset.stage !== "call") return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], dialog")) return;
    room.act(name);
    room.announce(`${name}_${room.own[name] ? "is_on" : "is_off"}`);
  });
  room.action("keys", () => {
    on = !on;
    localStorage.setItem(STORED, on ? "on" : "off");
  });
  room.addEventListener("changed", () => room.press("keys", on));
}
