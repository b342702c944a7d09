// The small form: from, until, every week or only this date.  What the calendar proposes ends here, and on a phone
// begins here, too.

import { DAY, fill, fromInput, toInput } from "./axis.js";

export class Sheet {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog, texts) {
    this.dialog = dialog;
    this.texts = texts;
    this.form = dialog.querySelector("form");
    this.find = (name) => dialog.querySelector(`[data-sheet-${name}]`);
    [this.from, this.to] = dialog.querySelectorAll("input[type=time]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.find("remove").addEventListener("click", () => this.done({ action: "remove", everyWeek: this.everyWeek() }));
    this.find("usual").addEventListener("click", () => this.done({ action: "usual" }));
    this.find("cancel").addEventListener("click", () => this.done(null));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.done(null);
    });
    // Only a press that began beside the form closes it: the click that follows a drag would, too.
    dialog.addEventListener("pointerdown", (event) => { this.beside = event.target === dialog; });
    dialog.addEventListener("click", (event) => { if (this.beside && event.target === dialog) this.done(null); });
  }

  /**
   * Ask; the answer is {action: "save" | "remove" | "usual", window, everyWeek}, or null when it was cancelled.
   * @param {{day: object, block: object | null, window: number[], removing?: boolean}} asked
   */
  ask({ day, block, window, removing = false }) {
    const weekly = block ? block.weekly : !day.override;
    this.find("title").textContent = block ? this.texts.edit_title : this.texts.new_title;
    this.find("day").textContent = day.full;
    this.find("season").hidden = !block?.season;
    this.find("season").textContent = block?.season ? fill(this.texts.season, { season: block.season }) : "";
    this.find("every").textContent = fill(this.texts.every, { weekday: day.weekday });
    this.find("once").textContent = fill(this.texts.once, { day: day.full });
    this.find("scope").hidden = !weekly;
    this.form.elements.scope.value = weekly && !(day.off && !block) ? "every" : "once";
    this.find("override").hidden = !day.override;
    this.find("remove").hidden = !block;
    this.find("error").hidden = true;
    [this.from.value, this.to.value] = window.map(toInput);
    this.beside = false;
    this.dialog.showModal();
    (removing ? this.find("remove") : this.from).focus();
    return new Promise((resolve) => { this.resolve = resolve; });
  }

  everyWeek() {
    return this.form.elements.scope.value === "every";
  }

  save() {
    const [start, end] = [fromInput(this.from.value), fromInput(this.to.value) || DAY];
    const wrong = start === null || this.to.value === "" || end <= start;
    this.find("error").hidden = !wrong;
    this.find("error").textContent = wrong ? this.texts.order : "";
    for (const input of [this.from, this.to]) {
      input.toggleAttribute("aria-invalid", wrong);
      if (wrong) input.setAttribute("aria-describedby", "week-error");
    }
    if (wrong) this.to.focus();
    else this.done({ action: "save", window: [start, end], everyWeek: this.everyWeek() });
  }

  done(answer) {
    this.dialog.close();
    this.resolve?.(answer);
    this.resolve = null;
  }
}
