// Turns the radio buttons of helpouts/_slots.html into a calendar with the times of one day beside it.
//
// The radio buttons stay what the form sends; this file only decides which day's are in view.  The calendar follows
// the date grid of the ARIA Authoring Practices: arrows, Home and End, Page Up and Page Down move, Enter or Space
// choose, one cell is in the tab order.  All texts come from the markup, names of days and months from the browser.
//
// Where the markup names a source, a month is fetched when it is looked at, and the zone can be changed.

import { Source, dateIn, dayElement } from "./slots/source.js";
import { ZoneChoice } from "./slots/zones.js";

const DAY = 86_400_000;
const WEEK = [0, 1, 2, 3, 4, 5, 6];
const language = document.documentElement.lang || "en";

// Local dates are kept as midnight UTC, where every day has 24 hours.
const parse = (text) => new Date(`${text}T00:00:00Z`);
const iso = (date) => date.toISOString().slice(0, 10);
const plus = (date, days) => new Date(date.getTime() + days * DAY);
const named = (options) => new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

/** The same day of another month, or that month's last. */
function plusMonths(date, months) {
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0));
  return plus(last, Math.min(date.getUTCDate(), last.getUTCDate()) - last.getUTCDate());
}

/** 0 where weeks begin on Sunday, 1 for Monday, as the language has it. */
function firstWeekday() {
  const locale = new Intl.Locale(language);
  return ((locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1) % 7;
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export class SlotPicker {
  /** @param {HTMLElement} root the element that the macro writes; it must hold at least one day. */
  constructor(root) {
    this.root = root;
    this.texts = JSON.parse(root.dataset.slotsTexts);
    this.days = new Map(Array.from(root.querySelectorAll("[data-slots-date]"), (day) => [day.dataset.slotsDate, day]));
    const { slotsUrl, slotsZone, slotsUntil } = root.dataset;
    this.source = slotsUrl ? new Source(slotsUrl, slotsZone) : null;
    this.until = slotsUntil ? new Date(slotsUntil) : null;
    this.name = root.querySelector(".slots-time__input").name;
    /** Months that are being fetched ("asked"), are there ("here") or could not be had ("failed"). */
    this.months = new Map();
    this.loads = new Map();
    this.setBounds();
    this.weekStart = firstWeekday();
    this.picked = root.querySelector("input:checked");
    const dates = [...this.days.keys()].sort();
    this.shown = this.picked?.closest("[data-slots-date]").dataset.slotsDate
      ?? dates.find((date) => Number(this.days.get(date).dataset.slotsFree)) ?? dates[0];
    this.active = parse(this.shown);
    this.build();
    this.renderMonth();
    this.show(this.shown);
  }

  /** The first and the last date that can be looked at. */
  setBounds() {
    const dates = [...this.days.keys()];
    if (this.source) dates.push(dateIn(this.source.zone, new Date()), dateIn(this.source.zone, this.until));
    dates.sort();
    [this.first, this.last] = [parse(dates[0]), parse(dates.at(-1))];
  }

  build() {
    const id = `slots-month-${document.querySelectorAll("[data-slots-ready]").length}`;
    this.month = element("p", { class: "slots-month", id, "aria-live": "polite" });
    this.previous = this.monthButton("previous", -1);
    this.next = this.monthButton("next", 1);
    const label = { "aria-label": this.texts.calendar, "aria-describedby": id };
    this.grid = element("table", { role: "grid", class: "slots-grid", ...label });
    this.grid.addEventListener("click", (event) => this.onClick(event));
    this.grid.addEventListener("keydown", (event) => this.onKey(event));
    this.status = element("p", { class: "visually-hidden", role: "status" });
    this.choice = element("p", { class: "slots-choice" });
    const head = element("div", { class: "slots-head" }, this.month, this.previous, this.next);
    this.times = element("div", { class: "slots-days" }, ...this.days.values());
    this.notice = element("div", { class: "slots-notice", role: "alert" });
    const panel = element("div", { class: "slots-panel" }, this.notice, this.times, this.choice, this.status);
    panel.addEventListener("change", (event) => {
      this.picked = event.target;
      this.showChoice();
    });
    this.root.querySelector(".slots-more")?.remove();
    const calendar = element("div", { class: "slots-calendar" }, head, this.grid);
    this.root.prepend(element("div", { class: "slots-body" }, calendar, panel));
    this.root.dataset.slotsReady = "";
    const zoneLine = this.root.querySelector("[data-slots-zones]");
    if (zoneLine) {
      const onChange = (zone) => (this.source ? this.changeZone(zone) : location.reload());
      new ZoneChoice(zoneLine, { zone: this.root.dataset.slotsZone, texts: this.texts, onChange });
    }
  }

  monthButton(direction, months) {
    const look = `slots-nav slots-nav--${direction}`;
    const button = element("button", { type: "button", class: look, "aria-label": this.texts[direction] });
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      this.active = this.within(plusMonths(this.active, months));
      this.renderMonth();
    });
    return button;
  }

  renderMonth() {
    const month = this.active.getUTCMonth();
    const focused = this.grid.contains(document.activeElement);
    this.load(iso(this.active).slice(0, 7));
    const begin = plus(this.active, 1 - this.active.getUTCDate());
    // Weeks in which nothing can be booked at all are left out: on a phone they push the times off the screen.
    const start = this.weekOf(new Date(Math.max(begin, this.first)));
    const end = new Date(Math.min(plus(plusMonths(begin, 1), -1), this.last));
    const [short, long] = [named({ weekday: "short" }), named({ weekday: "long" })];
    const heads = WEEK.map((day) => plus(start, day)).map((day) =>
      element("th", { scope: "col", abbr: long.format(day), class: "slots-weekday" }, short.format(day)));
    const rows = [];
    for (let week = start; week <= end; week = plus(week, 7)) {
      const cells = WEEK.map((day) => plus(week, day)).map((day) =>
        day.getUTCMonth() === month ? this.cell(day) : element("td", { class: "slots-cell slots-cell--blank" }));
      rows.push(element("tr", {}, ...cells));
    }
    this.grid.replaceChildren(element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
    this.month.textContent = named({ month: "long", year: "numeric" }).format(this.active);
    this.previous.setAttribute("aria-disabled", String(begin <= this.first));
    this.next.setAttribute("aria-disabled", String(plusMonths(begin, 1) > this.last));
    if (focused) this.grid.querySelector('[tabindex="0"]').focus();
    this.showState();
  }

  /** Fetch a month's times, unless they are there or on their way. */
  load(month) {
    if (this.source && !this.loads.has(month)) {
      this.months.set(month, "asked");
      this.loads.set(month, this.fetch(month, this.source.zone));
    }
    return this.loads.get(month);
  }

  async fetch(month, zone) {
    let [state, days] = ["here", []];
    try {
      days = await this.source.month(month);
    } catch {
      state = "failed";
    }
    if (zone !== this.source.zone) return;
    this.months.set(month, state);
    for (const day of days) this.put(day);
    if (iso(this.active).slice(0, 7) === month) this.renderMonth();
  }

  /** Take a fetched day over; what was chosen stays chosen. */
  put(day) {
    const before = this.days.get(day.date);
    const values = before && Array.from(before.querySelectorAll("input"), (input) => input.value);
    if (values && String(values) === String(day.slots.map((slot) => slot.value))) return;
    const made = dayElement(day, this.name);
    if (before) {
      const chosen = before.contains(this.picked) && this.picked.checked ? this.picked.value : null;
      const focused = before.contains(document.activeElement) ? document.activeElement.value : null;
      before.replaceWith(made);
      const at = (value) => made.querySelector(`input[value="${value}"]`);
      if (chosen && at(chosen)) [this.picked, at(chosen).checked] = [at(chosen), true];
      at(focused)?.focus();
    } else this.times.append(made);
    this.days.set(day.date, made);
    made.hidden = made.disabled = day.date !== this.shown;
  }

  /** Say when the month in view is on its way, or could not be had. */
  showState() {
    const month = iso(this.active).slice(0, 7);
    const state = this.months.get(month);
    this.grid.setAttribute("aria-busy", String(state === "asked"));
    if (state !== "failed") return this.notice.replaceChildren();
    if (this.notice.firstChild) return;
    const again = element("button", { type: "button", class: "btn btn--secondary btn--s" }, this.texts.again);
    again.addEventListener("click", () => {
      this.grid.querySelector('[tabindex="0"]').focus();
      this.loads.delete(month);
      this.notice.replaceChildren();
      this.renderMonth();
    });
    this.notice.replaceChildren(element("p", {}, this.texts.failed), again);
  }

  /** The same times on another clock: days and months are made anew around what is chosen, or in view. */
  async changeZone(zone) {
    const kept = this.picked?.checked ? this.picked.value : null;
    const seen = kept ?? this.days.get(this.shown)?.querySelector("input")?.value;
    this.source.zone = zone;
    this.months.clear();
    this.loads.clear();
    this.days.clear();
    this.times.replaceChildren();
    this.picked = null;
    this.choice.textContent = "";
    // Whatever else on the page was written for the clock of before.
    for (const other of document.querySelectorAll("[data-slots-clock]")) other.hidden = true;
    this.setBounds();
    this.active = this.within(parse(dateIn(zone, seen ? new Date(seen) : new Date())));
    this.shown = iso(this.active);
    const month = this.shown.slice(0, 7);
    this.renderMonth();
    await this.load(month);
    if (this.source.zone !== zone || this.months.get(month) !== "here") return;
    this.picked = kept && this.times.querySelector(`input[value="${kept}"]`);
    if (this.picked) this.picked.checked = true;
    const free = [...this.days.keys()].sort();
    const day = this.picked?.closest("[data-slots-date]").dataset.slotsDate
      ?? free.find((date) => date >= this.shown) ?? free.at(-1);
    if (!day) return;
    this.active = parse(day);
    this.show(day);
    this.renderMonth();
    this.status.textContent = this.summary(day);
  }

  cell(day) {
    const date = iso(day);
    const free = Number(this.days.get(date)?.dataset.slotsFree ?? 0);
    const cell = element("td", {
      role: "gridcell",
      class: "slots-cell",
      tabindex: date === iso(this.active) ? "0" : "-1",
      "data-slots-cell": date,
      "aria-label": this.summary(date),
      "aria-selected": String(date === this.shown),
    }, element("span", { class: "slots-cell__day" }, String(day.getUTCDate())));
    if (!free) cell.setAttribute("aria-disabled", "true");
    return cell;
  }

  /** "12 free times on Tuesday 24 November" */
  summary(date) {
    const full = named({ weekday: "long", day: "numeric", month: "long" }).format(parse(date));
    const unknown = this.months.get(date.slice(0, 7)) === "asked" ? this.texts.loading : this.texts.none;
    return this.days.get(date)?.dataset.slotsSummary ?? fill(unknown, { day: full });
  }

  weekOf(date) {
    return plus(date, -((date.getUTCDay() - this.weekStart + 7) % 7));
  }

  within(date) {
    return new Date(Math.min(Math.max(date, this.first), this.last));
  }

  /** Move the one cell that is in the tab order, and the focus with it. */
  moveTo(date) {
    const before = this.grid.querySelector('[tabindex="0"]');
    this.active = this.within(date);
    const selector = `[data-slots-cell="${iso(this.active)}"]`;
    if (!this.grid.querySelector(selector)) this.renderMonth();
    else before?.setAttribute("tabindex", "-1");
    const cell = this.grid.querySelector(selector);
    cell.setAttribute("tabindex", "0");
    cell.focus();
  }

  onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const week = this.weekOf(this.active);
    const forward = document.documentElement.dir === "rtl" ? -1 : 1;
    const moves = {
      ArrowLeft: () => plus(this.active, -forward), ArrowRight: () => plus(this.active, forward),
      ArrowUp: () => plus(this.active, -7), ArrowDown: () => plus(this.active, 7),
      Home: () => week, End: () => plus(week, 6),
      PageUp: () => plusMonths(this.active, -1), PageDown: () => plusMonths(this.active, 1),
    };
    if (event.key in moves) this.moveTo(moves[event.key]());
    else if (event.key === "Enter" || event.key === " ") this.choose(iso(this.active));
    else return;
    event.preventDefault();
  }

  onClick(event) {
    const date = event.target.closest("[data-slots-cell]")?.dataset.slotsCell;
    if (!date || parse(date) - this.within(parse(date)) !== 0) return;
    this.moveTo(parse(date));
    this.choose(date);
  }

  /** Show the times of a day, if it has any, and say how many there are. */
  choose(date) {
    if (Number(this.days.get(date)?.dataset.slotsFree ?? 0)) this.show(date);
    this.status.textContent = "";
    requestAnimationFrame(() => { this.status.textContent = this.summary(date); });
  }

  show(date) {
    this.grid.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    this.grid.querySelector(`[data-slots-cell="${date}"]`)?.setAttribute("aria-selected", "true");
    this.shown = date;
    // Disabled as well as hidden: a required field that cannot be focused would block the form without a word.
    for (const [other, day] of this.days) day.hidden = day.disabled = other !== date;
    // A checked button that is out of view would take the others out of the tab order and be sent unseen.
    if (this.picked) this.picked.checked = Boolean(this.days.get(date)?.contains(this.picked));
    this.showChoice();
  }

  showChoice() {
    const [time, day] = [this.picked?.nextElementSibling.textContent, this.days.get(this.shown)?.dataset.slotsLabel];
    this.choice.textContent = this.picked?.checked ? fill(this.texts.chosen, { day, time }) : "";
  }
}

for (const root of document.querySelectorAll("[data-slots]:not([data-slots-ready])")) {
  if (root.querySelector("[data-slots-date]")) new SlotPicker(root);
}
