// Minutes on the wall and their places on the drawn axis (helpouts/scheduling/axis.py explains it), and how both read.

/** Minutes of one row of the grid, and those to which dragging snaps. */
export const ROW = 30;
export const SNAP = 15;
export const DAY = 1440;

const language = document.documentElement.lang || "en";
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short", timeZone: "UTC" });

export class Axis {
  /** @param {{length: number, repeat: number[] | null, rows: object[]}} week */
  constructor({ length, repeat, rows }) {
    this.length = length;
    this.repeat = repeat;
    this.rows = rows;
    this.added = repeat ? repeat[1] - repeat[0] : 0;
  }

  /** The wall minute at a place; both passes of a repeated hour are the same minutes. */
  wall(place) {
    if (!this.repeat || place <= this.repeat[1]) return Math.max(0, Math.min(place, DAY));
    return Math.min(place - this.added, DAY);
  }

  /** The first place of a wall minute. */
  place(minute) {
    return this.repeat && minute >= this.repeat[1] ? minute + this.added : minute;
  }

  /** "09:30", and in a repeated hour "02:30 CEST". */
  label(place) {
    const text = wallLabel(this.wall(place));
    if (!this.repeat || place < this.repeat[0] || place >= this.repeat[1] + this.added) return text;
    return `${text} ${this.rows.filter((row) => row.at <= place).at(-1)?.offset ?? ""}`.trim();
  }
}

/** A wall minute as people write it; 1440 is the midnight at the end. */
export const wallLabel = (minute) => clock.format(new Date((minute % DAY) * 60_000));

export const windowLabel = ([start, end]) => `${wallLabel(start)} – ${wallLabel(end)}`;

/** What <input type="time"> takes, and back; "00:00" as an end is midnight. */
export const toInput = (minute) =>
  `${String(Math.floor(minute / 60) % 24).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
export const fromInput = (text) => {
  const [hours, minutes] = text.split(":").map(Number);
  return Number.isInteger(hours) && Number.isInteger(minutes) ? hours * 60 + minutes : null;
};

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
