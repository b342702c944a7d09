// Where the slot picker's times come from when the page does not hold them: the server, a month at a time.

/** The date on a zone's clock at an instant, such as "2026-11-24". */
export function dateIn(zone, instant) {
  const options = { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" };
  const parts = new Intl.DateTimeFormat("en", options).formatToParts(instant);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day}`;
}

export class Source {
  /** @param {string} url answers with the days of ?month=2026-12&zone=Europe/Berlin as JSON. */
  constructor(url, zone) {
    this.url = url;
    this.zone = zone;
    this.known = new Map();
  }

  /** The days of a month that have times: [{date, label, summary, slots: [{value, label}]}]; asked for once. */
  month(month) {
    const key = `${this.zone} ${month}`;
    if (!this.known.has(key)) {
      const asked = this.fetch(month);
      this.known.set(key, asked);
      asked.catch(() => this.known.delete(key));
    }
    return this.known.get(key);
  }

  async fetch(month) {
    const url = new URL(this.url, location.href);
    url.searchParams.set("month", month);
    url.searchParams.set("zone", this.zone);
    const answer = await fetch(url, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15_000) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return (await answer.json()).days;
  }
}

/** A day of the source as the macro in helpouts/_slots.html writes it. */
export function dayElement(day, name) {
  const fieldset = document.createElement("fieldset");
  fieldset.className = "slots-day";
  fieldset.setAttribute("role", "radiogroup");
  Object.assign(fieldset.dataset, {
    slotsDate: day.date, slotsLabel: day.label, slotsFree: day.slots.length, slotsSummary: day.summary,
  });
  const legend = document.createElement("legend");
  legend.className = "slots-day__label";
  legend.textContent = day.label;
  const times = document.createElement("div");
  times.className = "slots-times";
  times.append(...day.slots.map((slot) => {
    const input = document.createElement("input");
    Object.assign(input, { className: "slots-time__input", type: "radio", name, value: slot.value, required: true });
    const text = document.createElement("span");
    text.textContent = slot.label;
    const label = document.createElement("label");
    label.className = "slots-time";
    label.append(input, text);
    return label;
  }));
  fieldset.append(legend, times);
  return fieldset;
}
