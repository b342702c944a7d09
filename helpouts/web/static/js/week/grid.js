// The drawn week: a grid of half hours for keys and screen readers, and over it a layer with hours and bookings for
// pointers.  One cell is in the tab order.

import { ROW, element, fill } from "./axis.js";

export class Grid {
  /** @param {HTMLElement} scroll the box that scrolls; @param {object} texts what it says. */
  constructor(scroll, texts) {
    this.scroll = scroll;
    this.texts = texts;
    this.day = 0;
    this.row = 18;
  }

  /** Draw the days [offset, offset + count) of a week. */
  draw(week, axis, offset, count) {
    const first = !this.table;
    const top = this.scroll.scrollTop;
    [this.week, this.axis, this.offset, this.count] = [week, axis, offset, count];
    this.rows = Math.ceil(axis.length / ROW);
    this.day = Math.min(Math.max(this.day, offset), offset + count - 1);
    this.row = Math.min(this.row, this.rows - 1);
    const hadFocus = this.table?.contains(document.activeElement);
    this.days = week.days.slice(offset, offset + count);
    this.table = element("table", { role: "grid", class: "week__grid", "aria-label": this.texts.grid,
      "aria-describedby": "week-hint" }, this.head(), this.body());
    this.layer = element("div", { class: "week__layer" }, ...this.days.map((day, index) => this.column(day, index)));
    this.cursor = element("div", { class: "week__cursor", "aria-hidden": "true", hidden: "" });
    this.layer.style.blockSize = `calc(${axis.length} * var(--minute))`;
    this.scroll.style.setProperty("--days", String(count));
    this.scroll.replaceChildren(this.table, this.layer);
    this.scroll.scrollTop = first ? this.firstScroll() : top;
    this.drawNow();
    if (hadFocus) this.focus();
  }

  head() {
    const corner = element("td", { class: "week__corner" });
    const cells = this.days.map((day) => element("th", {
      scope: "col", class: `week__day${day.today ? " week__day--today" : ""}`, abbr: day.full,
      "aria-current": day.today ? "date" : null,
    }, element("span", { class: "week__weekday" }, day.short), element("span", { class: "week__number" }, String(day.number)),
    ...(day.off ? [element("span", { class: "week__off" }, day.off)] : [])));
    return element("thead", {}, element("tr", {}, corner, ...cells));
  }

  body() {
    const rows = [];
    const hours = new Map(this.axis.rows.map((hour) => [hour.at, hour]));
    for (let row = 0; row < this.rows; row += 1) {
      const hour = hours.get(row * ROW);
      const head = element("th", { scope: "row", class: "week__hour" });
      if (hour) {
        head.append(element("span", {}, hour.label));
        if (hour.offset) head.append(element("small", {}, hour.offset));
      } else head.append(element("span", { class: "visually-hidden" }, this.axis.label(row * ROW)));
      const cells = this.days.map((_day, index) => this.cell(index + this.offset, row));
      rows.push(element("tr", { class: hour ? "week__row week__row--hour" : "week__row" }, head, ...cells));
    }
    return element("tbody", {}, ...rows);
  }

  cell(day, row) {
    return element("td", {
      role: "gridcell", class: "week__cell", "data-cell": `${day}-${row}`,
      tabindex: day === this.day && row === this.row ? "0" : "-1", "aria-label": this.describe(day, row),
    });
  }

  /** "Tuesday, November 24, 9:00 AM, working hours 9:00 AM – 1:00 PM" */
  describe(index, row) {
    const day = this.week.days[index];
    const place = row * ROW;
    const parts = [day.full, this.axis.label(place)];
    if (day.off) parts.push(day.off);
    for (const item of this.itemsAt(index, place)) parts.push(`${item.state_label}: ${item.title}, ${item.detail} ${item.time}`);
    const block = this.blockAt(index, place);
    if (this.nothingAt(index, place)) parts.push(this.texts.nothing);
    else if (block) parts.push(fill(block.weekly ? this.texts.hours : this.texts.date_hours, { time: block.label }));
    else parts.push(this.texts.free);
    if (day.past) parts.push(this.texts.past);
    return parts.join(", ");
  }

  column(day, index) {
    const column = element("div", { class: `week__col${day.past ? " week__col--past" : ""}${day.today ? " week__col--today" : ""}${day.off ? " week__col--off" : ""}`, "data-day": String(index + this.offset) });
    for (const [top, bottom] of day.nothing) column.append(this.placed("div", "week__nothing", top, bottom));
    for (const block of day.blocks) column.append(this.block(block, day));
    for (const item of withLanes(day.items)) column.append(this.item(item));
    return column;
  }

  block(block, day) {
    const look = `week__block week__block--${block.weekly ? "weekly" : "date"}`;
    const made = this.placed("div", look, block.top, block.bottom);
    made.setAttribute("aria-hidden", "true");
    made.dataset.block = String(day.blocks.indexOf(block));
    const text = element("span", { class: "week__block-label" }, block.label);
    if (block.season) text.append(element("small", {}, block.season));
    made.append(text);
    if (!day.past) made.append(element("span", { class: "week__edge week__edge--top", "data-edge": "top" }),
      element("span", { class: "week__edge week__edge--bottom", "data-edge": "bottom" }));
    return made;
  }

  item(item) {
    const made = this.placed(item.url ? "a" : "div", `week__item week__item--${item.kind}${item.bottom - item.top < 45 ? " week__item--short" : ""}`, item.top, item.bottom);
    if (item.url) made.href = item.url;
    made.style.insetInlineStart = `${item.lane * (60 / item.lanes) + 22}%`;
    made.style.inlineSize = `${76 / item.lanes}%`;
    const name = element("strong", {}, item.title);
    const label = element("span", { class: "week__item-text" }, name, element("span", {}, item.detail));
    made.title = `${item.title}, ${item.detail}, ${item.time}`;
    made.append(label, element("span", { class: "week__item-time" }, item.time), element("span", { class: "visually-hidden" }, item.state_label));
    return made;
  }

  placed(tag, look, top, bottom) {
    const made = element(tag, { class: look });
    made.style.insetBlockStart = `calc(${top} * var(--minute))`;
    made.style.blockSize = `calc(${bottom - top} * var(--minute))`;
    return made;
  }

  drawNow() {
    const now = this.week.now;
    const column = now && this.columnOf(now.day);
    column?.append(this.placed("div", "week__now", now.at, now.at));
  }

  /** Show a stretch as it would become; without arguments take it away. */
  draft(day, top, bottom, label = "") {
    this.shown?.remove();
    const column = day === undefined ? null : this.columnOf(day);
    if (!column) return;
    this.shown = this.placed("div", "week__draft", top, bottom);
    this.shown.append(element("span", {}, label));
    column.append(this.shown);
  }

  columnOf(day) {
    return this.layer.querySelector(`[data-day="${day}"]`);
  }

  blockAt(day, place) {
    return this.week.days[day].blocks.find((block) => block.top <= place && place < block.bottom);
  }

  itemsAt(day, place) {
    return this.week.days[day].items.filter((item) => item.top < place + ROW && place < item.bottom);
  }

  nothingAt(day, place) {
    return this.week.days[day].nothing.some(([top, bottom]) => top <= place && place < bottom);
  }

  /** Make a cell the one in the tab order; with the focus if it is wanted. */
  moveTo(day, row, focus = true) {
    const cell = this.table.querySelector(`[data-cell="${day}-${row}"]`);
    if (!cell) return;
    this.table.querySelector('.week__cell[tabindex="0"]')?.setAttribute("tabindex", "-1");
    cell.setAttribute("tabindex", "0");
    [this.day, this.row] = [day, row];
    if (focus) this.focus();
  }

  focus() {
    this.table.querySelector(`[data-cell="${this.day}-${this.row}"]`)?.focus({ preventScroll: true });
    this.reveal(this.row * ROW, (this.row + 1) * ROW);
  }

  /** Mark the cell in focus above the layer, which would cover its own outline. */
  mark(visible) {
    const column = this.columnOf(this.day);
    this.cursor.hidden = !visible || !column;
    if (this.cursor.hidden) return;
    this.cursor.style.insetBlockStart = `calc(${this.row * ROW} * var(--minute))`;
    this.cursor.style.blockSize = `calc(${ROW} * var(--minute))`;
    column.append(this.cursor);
  }

  /** Scroll so that a stretch is in view below the head. */
  reveal(top, bottom) {
    const head = this.table.tHead.offsetHeight;
    const perMinute = this.minuteHeight();
    const [from, to] = [top * perMinute, bottom * perMinute];
    if (from < this.scroll.scrollTop) this.scroll.scrollTop = from - perMinute * ROW;
    else if (to + head > this.scroll.scrollTop + this.scroll.clientHeight) {
      this.scroll.scrollTop = to + head - this.scroll.clientHeight + perMinute * ROW;
    }
  }

  minuteHeight() {
    return this.layer.getBoundingClientRect().height / this.axis.length;
  }

  /** Where the view begins: an hour before the first thing of the week, by default at seven. */
  firstScroll() {
    const tops = this.week.days.flatMap((day) => [...day.blocks, ...day.items].map((shown) => shown.top));
    const first = Math.min(8 * 60, ...tops.filter((top) => top > 0));
    return Math.max(0, first - 60) * this.minuteHeight();
  }
}

/** Give things that overlap lanes beside each other. */
function withLanes(items) {
  const groups = [];
  for (const item of [...items].sort((a, b) => a.top - b.top)) {
    const group = groups.at(-1);
    if (group && item.top < group.bottom) {
      const lane = group.ends.findIndex((end) => end <= item.top);
      const at = lane < 0 ? group.ends.length : lane;
      group.ends[at] = item.bottom;
      group.items.push({ ...item, lane: at });
      group.bottom = Math.max(group.bottom, item.bottom);
    } else groups.push({ bottom: item.bottom, ends: [item.bottom], items: [{ ...item, lane: 0 }] });
  }
  return groups.flatMap((group) => group.items.map((item) => ({ ...item, lanes: group.ends.length })));
}
