// Hours by mouse, pen and finger: drag over empty time, drag hours, drag their edges.  A finger holds first, because
// moving at once means scrolling; a click or tap opens the form.

import { DAY, SNAP, windowLabel } from "./axis.js";

const HOLD = 350;
const STILL = 6;

export class Pointer {
  /** @param {import("./main.js").WeekPage} page */
  constructor(page) {
    this.page = page;
    this.drag = null;
    const { scroll } = page.grid;
    scroll.addEventListener("pointerdown", (event) => this.down(event));
    scroll.addEventListener("pointermove", (event) => this.move(event));
    scroll.addEventListener("pointerup", (event) => this.up(event));
    // A tap acts at its click, not before: the click would land on the form that it opens.
    scroll.addEventListener("click", () => {
      const { pressed } = this;
      this.pressed = null;
      if (pressed) page.press(pressed.day, pressed.place, pressed.block);
    });
    scroll.addEventListener("pointercancel", () => this.stop());
    // Without this the browser would begin to scroll in the middle of a drag.
    scroll.addEventListener("touchmove", (event) => { if (this.drag?.active) event.preventDefault(); }, { passive: false });
    scroll.addEventListener("contextmenu", (event) => { if (this.drag) event.preventDefault(); });
    addEventListener("keydown", (event) => { if (event.key === "Escape" && this.drag) this.stop(); });
  }

  down(event) {
    this.pressed = null;
    const column = event.target.closest?.("[data-day]");
    if (!column || event.button !== 0 || event.target.closest("a") || this.drag) return;
    const { grid } = this.page;
    const day = Number(column.dataset.day);
    const shown = event.target.closest("[data-block]");
    const block = shown ? grid.week.days[day].blocks[Number(shown.dataset.block)] : null;
    this.drag = {
      id: event.pointerId, x: event.clientX, y: event.clientY, day, block, active: false, moved: false,
      edge: event.target.dataset.edge ?? "", place: this.place(column, event.clientY), touch: event.pointerType === "touch",
    };
    if (!this.drag.touch) event.preventDefault(); // no text selection
    else this.timer = setTimeout(() => this.hold(), HOLD);
  }

  hold() {
    if (!this.drag) return;
    this.begin();
    navigator.vibrate?.(15);
    this.update(this.drag.x, this.drag.y);
  }

  begin() {
    const { drag, page } = this;
    if (page.week.days[drag.day].past) {
      page.say(page.texts.readonly);
      this.stop();
      return;
    }
    drag.active = true;
    page.grid.scroll.setPointerCapture(drag.id);
    page.grid.scroll.classList.add("week__scroll--dragging");
  }

  move(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > STILL;
    if (far) drag.moved = true;
    if (!drag.active) {
      if (!far) return;
      if (drag.touch) { // it scrolls
        this.stop();
        return;
      }
      this.begin();
    }
    if (this.drag) this.update(event.clientX, event.clientY);
  }

  /** Where things would be if it ended here. */
  update(x, y) {
    const { drag, page } = this;
    const { grid } = page;
    const column = grid.columnOf(drag.day);
    const place = this.place(column, y);
    const { axis } = grid;
    if (!drag.block) {
      const [first, last] = [Math.min(drag.place, place), Math.max(drag.place, place)];
      const [top, bottom] = [Math.floor(first / SNAP) * SNAP, Math.max(Math.ceil(last / SNAP) * SNAP, Math.floor(first / SNAP) * SNAP + SNAP)];
      drag.result = { day: drag.day, window: [axis.wall(top), axis.wall(Math.min(bottom, axis.length))] };
    } else if (drag.edge) {
      const minute = axis.wall(Math.round(place / SNAP) * SNAP);
      const { start, end } = drag.block;
      drag.result = { day: drag.day, window: drag.edge === "top" ? [Math.min(minute, end - SNAP), end] : [start, Math.max(minute, start + SNAP)] };
    } else {
      const shift = Math.round((place - drag.place) / SNAP) * SNAP;
      const length = drag.block.end - drag.block.start;
      const start = Math.max(0, Math.min(axis.wall(Math.max(0, axis.place(drag.block.start) + shift)), DAY - length));
      drag.result = { day: this.dayAt(x, drag.result?.day ?? drag.day), window: [start, start + length] };
    }
    const { day, window } = drag.result;
    grid.draft(day, axis.place(window[0]), axis.place(window[1]), windowLabel(window));
    this.scrollAtEdge(y);
  }

  up(event) {
    const { drag, page } = this;
    if (!drag || event.pointerId !== drag.id) return;
    const { result } = drag;
    clearTimeout(this.timer);
    this.drag = null;
    page.grid.scroll.classList.remove("week__scroll--dragging");
    if (!drag.active) this.pressed = drag;
    else if (!drag.block) page.propose(result.day, null, result.day, result.window);
    else if (drag.moved) page.propose(drag.day, drag.block, result.day, result.window);
    else {
      page.grid.draft();
      page.press(drag.day, drag.place, drag.block);
    }
  }

  stop() {
    clearTimeout(this.timer);
    this.drag = null;
    this.page.grid.draft();
    this.page.grid.scroll.classList.remove("week__scroll--dragging");
  }

  place(column, y) {
    const box = column.getBoundingClientRect();
    const { length } = this.page.grid.axis;
    return Math.max(0, Math.min(((y - box.top) / box.height) * length, length));
  }

  dayAt(x, otherwise) {
    for (const column of this.page.grid.layer.children) {
      const box = column.getBoundingClientRect();
      const day = Number(column.dataset.day);
      if (x >= box.left && x < box.right) return this.page.week.days[day].past ? otherwise : day;
    }
    return otherwise;
  }

  scrollAtEdge(y) {
    const box = this.page.grid.scroll.getBoundingClientRect();
    if (y > box.bottom - 24) this.page.grid.scroll.scrollTop += 12;
    else if (y < box.top + 72) this.page.grid.scroll.scrollTop -= 12;
  }
}
