// What all parts of the room page share: its elements and texts, the way to the server, the controls and the panels.
// The parts (tools/*.js) know the room, not each other.

import {RoomSocket} from "./socket.js";

const FADE_MS = 8000;
const STAYS = ["connecting", "waiting", "peer_left"];

export class Room extends EventTarget {
  #handlers = {}; #actions = {}; #fading = null;

  constructor(root, settings) {
    super();
    this.root = root;
    this.settings = settings;
    this.texts = settings.texts;
    this.remote = root.querySelector("[data-remote]"); // may be in a window of its own
    this.own = {mic: true, camera: true, screen: false}; // what the other side is told of us
    this.socket = new RoomSocket({ticketUrl: settings.ticketUrl, csrf: settings.csrf});
    this.socket.addEventListener("message", ({detail}) => {
      for (const handler of this.#handlers[detail.type] ?? []) handler(detail);
    });
    for (const button of root.querySelectorAll("[data-control]")) {
      button.addEventListener("click", () => this.act(button.dataset.control));
    }
    root.addEventListener("keydown", (event) => { if (event.key === "Escape" && root.dataset.panel) this.panel(null); });
  }

  /** The element that carries data-NAME. */
  find(name) { return this.root.querySelector(`[data-${name}]`); }

  /** The first button of a control; null where the page has none. */
  control(name) { return this.root.querySelector(`[data-control="${name}"]`); }

  /** All buttons of a control: on a phone it is in the panel "More", else in the bar. */
  controls(name) { return this.root.querySelectorAll(`[data-control="${name}"]`); }

  /** Show a switch as on or off. */
  press(name, on) {
    for (const button of this.controls(name)) if (button.ariaPressed !== null) button.ariaPressed = on;
  }

  /** Whether this browser, this device can do it at all. */
  offer(name, possible) {
    for (const button of this.controls(name)) (button.closest("li") ?? button).hidden = !possible;
  }

  /** A text of the page with the other side's name in it, and further %(values)s. */
  say(key, values = {}) {
    return Object.entries({name: this.settings.peerName, ...values})
      .reduce((text, [name, value]) => text.replaceAll(`%(${name})s`, value), this.texts[key] ?? key);
  }

  /** Call the handler for each message of that type; several may listen. */
  on(type, handler) { (this.#handlers[type] ??= []).push(handler); }

  /** What the control of that name does. */
  action(name, handler) { this.#actions[name] = handler; }

  async act(name) {
    await this.#actions[name]?.();
    this.changed();
  }

  send(message) { return this.socket.send(message); }

  /** Our own state has changed: the controls show it, the other side is told. */
  changed() {
    this.dispatchEvent(new Event("changed"));
    this.send({type: "state", ...this.own});
  }

  /** A line over the picture; null takes it away. */
  status(key, tone = "info", values = {}) {
    this.tell(key ? this.say(key, values) : "", tone, STAYS.includes(key));
    this.find("status").dataset.key = key ?? "";
  }

  /** The same for screen readers only. */
  announce(key) { this.find("announce").textContent = this.say(key); }

  /** The same with a text that is ready to be read.  What is no trouble goes after a while. */
  tell(text, tone = "info", stays = false) {
    clearTimeout(this.#fading);
    if (text && !stays && ["info", "success"].includes(tone)) this.#fading = setTimeout(() => this.status(null), FADE_MS);
    const line = this.find("status");
    line.textContent = text;
    line.dataset.tone = tone;
    line.hidden = !text;
  }

  /** "check" or "call": shows the parts of the page that belong to it. */
  stage(name) {
    this.root.dataset.stage = name;
    for (const part of this.root.querySelectorAll("[data-stage-part]")) part.hidden = part.dataset.stagePart !== name;
    this.dispatchEvent(new CustomEvent("stage", {detail: name}));
  }

  /** Open the panel of that name (data-panel-name) beside the picture, or none; one at a time. */
  panel(name) {
    const before = this.root.dataset.panel;
    this.root.dataset.panel = name ?? "";
    for (const panel of this.root.querySelectorAll("[data-panel-name]")) {
      const open = panel.dataset.panelName === name;
      panel.hidden = !open;
      this.control(panel.dataset.panelName)?.setAttribute("aria-expanded", open);
      if (open) panel.querySelector("h2")?.focus();
    }
    const opener = this.control(before);
    if (!name && before) (opener?.checkVisibility() ? opener : this.control("more")).focus();
    this.dispatchEvent(new CustomEvent("panel", {detail: name}));
  }

  toggle(name) { this.panel(this.root.dataset.panel === name ? null : name); }
}
