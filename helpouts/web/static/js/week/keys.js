// The week by keys alone: arrows move, Enter begins and ends hours or opens what is there, Shift with arrows changes the
// length or the day, Delete removes, Escape cancels.

import { DAY, ROW, SNAP, fill, windowLabel } from "./axis.js";

export class Keys {
  /** @param {import("./main.js").WeekPage} page */
  constructor(page) {
    this.page = page;
    this.range = null; // {day, anchor}: rows from anchor to the cell in focus
    this.adjust = null; // {day, block, newDay, window}
    const { scroll } = page.grid;
    scroll.addEventListener("keydown", (event) => this.onKey(event));
    scroll.addEventListener("focusin", (event) => this.onFocus(event));
    scroll.addEventListener("focusout", () => page.grid.mark(false));
  }

  onFocus(event) {
    const cell = event.target.dataset?.cell;
    if (!cell) return;
    const [day, row] = cell.split("-").map(Number);
    this.page.grid.moveTo(day, row, false);
    this.page.grid.mark(true);
  }

  onKey(event) {
    if (!event.target.dataset?.cell || event.altKey || event.ctrlKey || event.metaKey) return;
    const { grid } = this.page;
    const last = grid.rows - 1;
    const forward = document.documentElement.dir === "rtl" ? -1 : 1;
    const plain = {
      ArrowUp: () => this.go(0, -1), ArrowDown: () => this.go(0, 1),
      ArrowLeft: () => this.go(-forward, 0), ArrowRight: () => this.go(forward, 0),
      Home: () => grid.moveTo(grid.offset, grid.row), End: () => grid.moveTo(grid.offset + grid.count - 1, grid.row),
      PageUp: () => this.page.go("previous"), PageDown: () => this.page.go("next"),
      Enter: () => this.enter(), " ": () => this.enter(),
      Delete: () => this.remove(), Backspace: () => this.remove(), Escape: () => this.cancel(),
    };
    const shifted = {
      ArrowUp: () => this.longer(-SNAP), ArrowDown: () => this.longer(SNAP),
      ArrowLeft: () => this.otherDay(-forward), ArrowRight: () => this.otherDay(forward),
    };
    const action = (event.shiftKey ? shifted : plain)[event.key];
    if (!action || (this.busy() && ["Home", "End", "PageUp", "PageDown"].includes(event.key))) return;
    if (event.key === "Escape" && !this.busy()) return;
    event.preventDefault();
    action(last);
  }

  busy() {
    return Boolean(this.range || this.adjust);
  }

  go(days, rows) {
    const { grid } = this.page;
    if (this.adjust) return;
    const row = Math.max(0, Math.min(grid.row + rows, grid.rows - 1));
    if (this.range) {
      if (rows) {
        grid.moveTo(grid.day, row);
        this.showRange();
      }
      return;
    }
    const day = grid.day + days;
    if (day < grid.offset || day >= grid.offset + grid.count) this.page.step(Math.sign(days));
    else grid.moveTo(day, row);
  }

  enter() {
    const { page } = this;
    const { grid, texts } = page;
    if (this.adjust) {
      const { day, block, newDay, window } = this.adjust;
      this.adjust = null;
      page.propose(day, block, newDay, window);
      return;
    }
    if (this.range) {
      const { day, window } = this.rangeWindow();
      this.range = null;
      page.propose(day, null, day, window);
      return;
    }
    const place = grid.row * ROW;
    const link = grid.itemsAt(grid.day, place).find((item) => item.url);
    const block = grid.blockAt(grid.day, place);
    if (link) location.assign(link.url);
    else if (page.week.days[grid.day].past) page.say(texts.readonly);
    else if (block) page.press(grid.day, place, block);
    else {
      this.range = { day: grid.day, anchor: grid.row };
      this.showRange(false);
      page.say(fill(texts.begin, { time: grid.axis.label(place) }));
    }
  }

  rangeWindow() {
    const { grid } = this.page;
    const [first, last] = [Math.min(this.range.anchor, grid.row), Math.max(this.range.anchor, grid.row)];
    const bottom = Math.min((last + 1) * ROW, grid.axis.length);
    return { day: this.range.day, top: first * ROW, bottom, window: [grid.axis.wall(first * ROW), grid.axis.wall(bottom)] };
  }

  showRange(aloud = true) {
    const { page } = this;
    const { day, top, bottom, window } = this.rangeWindow();
    page.grid.draft(day, top, bottom, windowLabel(window));
    if (aloud) page.say(fill(page.texts.range, { day: page.week.days[day].full, time: windowLabel(window) }));
  }

  /** The hours in focus, taken up for a change. */
  taken() {
    const { page } = this;
    const { grid } = page;
    if (this.adjust) return this.adjust;
    const block = grid.blockAt(grid.day, grid.row * ROW);
    if (!block || page.week.days[grid.day].past) return null;
    this.adjust = { day: grid.day, block, newDay: grid.day, window: [block.start, block.end] };
    return this.adjust;
  }

  longer(minutes) {
    const { page } = this;
    if (this.range || (!this.adjust && !page.grid.blockAt(page.grid.day, page.grid.row * ROW))) {
      if (!this.range && !page.week.days[page.grid.day].past) this.range = { day: page.grid.day, anchor: page.grid.row };
      if (this.range) this.go(0, Math.sign(minutes));
      return;
    }
    const taken = this.taken();
    if (!taken) {
      page.say(page.texts.readonly);
      return;
    }
    const [start, end] = taken.window;
    taken.window = [start, Math.max(start + SNAP, Math.min(end + minutes, DAY))];
    this.showAdjusted();
  }

  otherDay(step) {
    const { page } = this;
    const taken = this.range ? null : this.taken();
    if (!taken) return;
    const day = taken.newDay + step;
    if (!page.week.days[day] || page.week.days[day].past || !page.grid.columnOf(day)) return;
    taken.newDay = day;
    this.showAdjusted();
  }

  showAdjusted() {
    const { page } = this;
    const { newDay, window } = this.adjust;
    const { axis } = page.grid;
    page.grid.draft(newDay, axis.place(window[0]), axis.place(window[1]), windowLabel(window));
    page.grid.reveal(axis.place(window[1]) - SNAP, axis.place(window[1]));
    page.say(fill(page.texts.adjust, { day: page.week.days[newDay].full, time: windowLabel(window) }));
  }

  remove() {
    const { page } = this;
    const { grid } = page;
    if (this.busy()) return;
    const block = grid.blockAt(grid.day, grid.row * ROW);
    if (block && !page.week.days[grid.day].past) page.remove(grid.day, block);
    else if (block) page.say(page.texts.readonly);
  }

  cancel() {
    this.range = this.adjust = null;
    this.page.grid.draft();
    this.page.say(this.page.texts.cancelled);
  }
}
