// Changes of a text that two people write at once; the same as helpouts/sessions/text_changes.py, where it is explained.
// A change walks over the whole text: n > 0 keeps, n < 0 deletes so many characters (code points), a string is put in.

const size = (text) => { let n = 0; for (const _ of text) n++; return n; };
const isText = (part) => typeof part === "string";

/** Neighbours of one kind made one. */
export function joined(parts) {
  const out = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (!part) continue;
    if (isText(last) && isText(part)) out[out.length - 1] = last + part;
    else if (typeof last === "number" && typeof part === "number" && (last > 0) === (part > 0)) out[out.length - 1] = last + part;
    else out.push(part);
  }
  return out;
}

/** Whether the change changes nothing. */
export const idle = (change) => change.every((part) => !isText(part) && part > 0);

class Walk {
  #parts; #at = 0;
  constructor(parts) { this.#parts = parts; this.step(); }
  step() { this.part = this.#parts[this.#at++] ?? null; }
  take(length) {
    if (isText(this.part)) this.part = [...this.part].slice(length).join("");
    else this.part += this.part > 0 ? -length : length;
    if (!this.part) this.step();
  }
}

/** [first after second, second after first]; where both put something in at one place, first's comes first. */
export function transform(first, second) {
  const left = new Walk(first), right = new Walk(second), one = [], two = [];
  for (;;) {
    if (isText(left.part)) { one.push(left.part); two.push(size(left.part)); left.step(); }
    else if (isText(right.part)) { one.push(size(right.part)); two.push(right.part); right.step(); }
    else if (left.part === null || right.part === null) return [joined(one), joined(two)];
    else {
      const length = Math.min(Math.abs(left.part), Math.abs(right.part));
      const keepLeft = left.part > 0, keepRight = right.part > 0;
      if (keepRight) one.push(keepLeft ? length : -length);
      if (keepLeft) two.push(keepRight ? length : -length);
      left.take(length);
      right.take(length);
    }
  }
}

/** One change that does what first and then second do. */
export function compose(first, second) {
  const left = new Walk(first), right = new Walk(second), out = [];
  for (;;) {
    if (!isText(left.part) && left.part < 0) { out.push(left.part); left.step(); }
    else if (isText(right.part)) { out.push(right.part); right.step(); }
    else if (left.part === null || right.part === null) return joined(out);
    else {
      const length = Math.min(isText(left.part) ? size(left.part) : left.part, Math.abs(right.part));
      if (right.part > 0) out.push(isText(left.part) ? [...left.part].slice(0, length).join("") : length);
      else if (!isText(left.part)) out.push(-length);
      left.take(length);
      right.take(length);
    }
  }
}

/** [text after the change, places (code units of the old text) where they are in it]. */
export function apply(text, change, places = []) {
  const letters = [...text], out = [], moved = [...places];
  let at = 0, unit = 0;
  for (const part of change) {
    if (isText(part)) {
      out.push(part);
      places.forEach((place, i) => { if (place > unit) moved[i] += part.length; });
      continue;
    }
    const piece = letters.slice(at, at + Math.abs(part)).join("");
    at += Math.abs(part);
    if (part > 0) out.push(piece);
    else places.forEach((place, i) => { moved[i] -= Math.min(Math.max(place - unit, 0), piece.length); });
    unit += piece.length;
  }
  return [out.join(""), moved];
}

/** The change from one text to another as one replacement: what an editor does in one step. */
export function difference(before, after) {
  const a = [...before], b = [...after];
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return joined([start, b.slice(start, b.length - end).join(""), -(a.length - start - end), end]);
}
