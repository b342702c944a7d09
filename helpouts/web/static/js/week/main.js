// The expert's week as a calendar: it shows what the server says and sends each change at once, with the version of the
// hours it was made on; the server answers with the week as it is then.

import { Axis, fill, element } from "./axis.js";
import { Grid } from "./grid.js";
import { Keys } from "./keys.js";
import { Pointer } from "./pointer.js";
import { Sheet } from "./sheet.js";

const HOUR = 60;

export class WeekPage {
  constructor(root, settings) {
    [this.root, this.texts, this.csrf, this.url] = [root, settings.texts, settings.csrf, settings.url];
    this.find = (name) => document.querySelector(`[data-week-${name}]`);
    this.grid = new Grid(this.find("scroll"), this.texts);
    this.sheet = new Sheet(document.getElementById("week-sheet"), this.texts);
    this.message = this.find("message");
    this.offset = null;
    root.hidden = false;
    this.find("plain").remove();
    this.show(settings.week);
    this.keys = new Keys(this);
    this.pointer = new Pointer(this);
    for (const link of document.querySelectorAll("[data-week-go]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.go(link.dataset.weekGo);
      });
    }
    new ResizeObserver(() => { if (this.count() !== this.grid.count) this.show(this.week); }).observe(root);
    document.addEventListener("visibilitychange", () => { if (!document.hidden && !this.busy()) this.load(this.week.first); });
  }

  /** Days that fit: all seven, three on a phone, one on a very small one. */
  count() {
    const width = this.root.clientWidth;
    return width >= 640 ? 7 : width >= 300 ? 3 : 1;
  }

  busy() {
    return Boolean(this.keys.busy() || this.pointer.drag || document.querySelector("dialog[open]"));
  }

  show(week) {
    this.week = week;
    const count = this.count();
    const today = week.days.findIndex((day) => day.today);
    if (this.offset === null) this.grid.day = Math.max(today, 0);
    this.offset ??= count === 7 ? 0 : Math.max(today, 0);
    this.offset = Math.max(0, Math.min(this.offset, week.days.length - count));
    this.grid.draw(week, new Axis(week), this.offset, count);
    this.find("title").textContent = week.title;
    this.find("zone").textContent = week.zone_label;
    const notes = week.changes.map((text) => element("p", { class: "week-note" }, text));
    this.find("notes").replaceChildren(...notes);
    this.root.dataset.version = week.version;
    this.root.dataset.first = week.first;
  }

  /** To the days before or after, or to today. */
  async go(where) {
    const count = this.count();
    const next = this.offset + (where === "next" ? count : -count);
    if (where === "today") {
      this.offset = null;
      await this.load("");
    } else if (next > -count && next < this.week.days.length && count < 7) {
      this.offset = next;
      this.show(this.week);
    } else {
      this.offset = where === "next" ? 0 : 7 - count;
      await this.load(this.week[where]);
    }
    const shown = this.week.days.slice(this.grid.offset, this.grid.offset + this.grid.count);
    this.say(fill(this.texts.days_shown, { first: shown[0].full, last: shown.at(-1).full }));
  }

  /** One day over the edge, by keys. */
  async step(direction) {
    if (this.count() < 7) {
      this.grid.day += direction;
      if (this.week.days[this.grid.day]) {
        this.offset += direction;
        this.show(this.week);
        return;
      }
    }
    this.offset = direction > 0 ? 0 : 7 - this.count();
    this.grid.day = direction > 0 ? 0 : 6;
    await this.load(direction > 0 ? this.week.next : this.week.previous);
  }

  async load(first) {
    const answer = await this.request(`${this.url}?from=${first}`);
    if (!answer?.days) return;
    history.replaceState(null, "", `${this.url}?from=${answer.first}`);
    this.show(answer);
  }

  /** A click or tap: the form of the hours there, or of a new hour. */
  press(index, place, block) {
    const { axis } = this.grid;
    if (this.week.days[index].past) {
      this.say(this.texts.readonly);
      return;
    }
    const start = axis.wall(Math.floor(place / (HOUR / 2)) * (HOUR / 2));
    const window = block ? [block.start, block.end] : [Math.min(start, 1440 - HOUR), Math.min(start + HOUR, 1440)];
    this.ask(index, block, index, window);
  }

  /** What a drag or the keys made: hours of one date are saved at once, others ask whether every week is meant. */
  propose(index, block, newIndex, window) {
    if (block && !block.weekly && !this.otherwise(newIndex)) this.change(index, block, newIndex, window, false);
    else this.ask(index, block, newIndex, window);
  }

  /** Whether a day follows the week, so that moving hours there needs a question. */
  otherwise(index) {
    return !this.week.days[index].override;
  }

  remove(index, block) {
    if (block.weekly) this.ask(index, block, index, [block.start, block.end], true);
    else this.change(index, block, index, null, false);
  }

  async ask(index, block, newIndex, window, removing = false) {
    const { axis } = this.grid;
    this.grid.draft(newIndex, axis.place(window[0]), axis.place(window[1]));
    const day = this.week.days[newIndex];
    const answer = await this.sheet.ask({ day, block, window, removing });
    this.grid.draft();
    this.grid.focus();
    if (answer === null) this.say(this.texts.cancelled);
    else if (answer.action === "usual") this.send({ action: "usual", day: day.date });
    else this.change(index, block, newIndex, answer.action === "remove" ? null : answer.window, answer.everyWeek);
  }

  change(index, block, newIndex, window, everyWeek) {
    return this.send({
      action: "change", day: this.week.days[index].date, old: block ? [block.start, block.end] : null,
      new_day: this.week.days[window ? newIndex : index].date, new: window, every_week: everyWeek,
    });
  }

  /** Send a change and show what became of it. */
  async send(change) {
    this.grid.draft();
    this.root.setAttribute("aria-busy", "true");
    const body = JSON.stringify({ version: this.week.version, first: this.week.first, ...change });
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.csrf };
    const answer = await this.request(this.url, { method: "POST", body, headers });
    this.root.removeAttribute("aria-busy");
    if (!answer) return;
    if (answer.week) this.show(answer.week);
    if (answer.error) this.tell(answer.error, "danger");
    else this.tell(answer.undo ? answer.message : this.texts.undone, "success", answer.undo);
  }

  async request(url, options = {}) {
    try {
      const answer = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
      return await answer.json();
    } catch {
      this.tell(this.texts.failed, "danger");
      return null;
    }
  }

  /** Say it aloud, and show it with the way back where there is one. */
  tell(text, tone, undo = null) {
    this.say(text);
    this.message.className = `week__message week__message--${tone}`;
    this.message.replaceChildren(element("span", {}, text));
    if (undo) {
      const button = element("button", { type: "button", class: "link-button" }, this.texts.undo);
      button.addEventListener("click", () => this.send({ action: "restore", ...undo }));
      this.message.append(button);
    }
    this.message.hidden = false;
    clearTimeout(this.hiding);
    if (tone === "success" && !undo) this.hiding = setTimeout(() => { this.message.hidden = true; }, 6000);
  }

  say(text) {
    const live = this.find("live");
    live.textContent = "";
    requestAnimationFrame(() => { live.textContent = text; });
  }
}

const root = document.querySelector("[data-week]");
if (root) new WeekPage(root, JSON.parse(document.getElementById("week-data").textContent));
