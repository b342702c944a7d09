// A picture that is drawn on: strokes on a canvas, by mouse, finger, pen and keys.  Knows nothing of the room.

const PAINT = {
  pen(context, points) {
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points) context.lineTo(...point);
    context.stroke();
  },
  arrow(context, points, {width}) {
    const [x1, y1] = points[0], [x2, y2] = points.at(-1), angle = Math.atan2(y2 - y1, x2 - x1);
    const head = Math.min(Math.max(4 * width, 12), Math.hypot(x2 - x1, y2 - y1) / 2 + 1);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    for (const side of [-0.5, 0.5]) {
      context.moveTo(x2, y2);
      context.lineTo(x2 - head * Math.cos(angle + side), y2 - head * Math.sin(angle + side));
    }
    context.stroke();
  },
  rectangle(context, points) {
    const [x1, y1] = points[0], [x2, y2] = points.at(-1);
    context.strokeRect(Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1));
  },
  text(context, points, {text, width, color}) {
    context.font = `600 ${Math.max(6 * width, 16)}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.lineWidth = width;
    context.strokeStyle = color === "#ffffff" ? "#000000" : "#ffffff";
    context.strokeText(text, ...points[0]);
    context.fillStyle = color;
    context.fillText(text, ...points[0]);
  },
};
const KEYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

export class Board {
  #canvas; #context; #picture = null; #strokes = []; #foreign = null; #made = null; #cursor = null; #last = 0;
  tool = "pen";
  color = "#ff3b30";
  text = "";

  /** onstroke(stroke): one is done; onmaking(stroke): one is being made, now and then. */
  constructor(canvas, {onstroke, onmaking}) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.onstroke = onstroke;
    this.onmaking = onmaking;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this.#cursor = null;
      this.#begin(this.#place(event));
    });
    canvas.addEventListener("pointermove", (event) => this.#move(this.#place(event)));
    canvas.addEventListener("pointerup", () => this.#end());
    canvas.addEventListener("pointercancel", () => { this.#made = null; this.#paint(); });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => { this.#cursor = null; this.#paint(); });
  }

  /** Show a picture, without strokes. */
  show(picture) {
    this.#picture = picture;
    this.#canvas.width = picture.naturalWidth || picture.width;
    this.#canvas.height = picture.naturalHeight || picture.height;
    this.#strokes = [];
    this.#foreign = this.#made = null;
    this.#paint();
  }

  get strokes() { return this.#strokes; }

  set(strokes) { this.#strokes = strokes; this.#paint(); }

  add(stroke) {
    if (this.#foreign?.id === stroke.id) this.#foreign = null;
    if (!this.#strokes.some(({id}) => id === stroke.id)) this.#strokes.push(stroke);
    this.#paint();
  }

  remove(id) { this.set(this.#strokes.filter((stroke) => stroke.id !== id)); }

  /** The other side is making this one. */
  foreign(stroke) { this.#foreign = stroke; this.#paint(); }

  /** The picture with all strokes, as PNG. */
  image() {
    this.#cursor = null;
    this.#paint();
    return new Promise((resolve) => { this.#canvas.toBlob(resolve, "image/png"); });
  }

  /** The strokes up to that one belong to the picture from now on: they cannot be taken back. */
  async bake(last) {
    const at = this.#strokes.findIndex(({id}) => id === last);
    if (at < 0) return;
    const rest = this.#strokes.slice(at + 1);
    this.#strokes = this.#strokes.slice(0, at + 1);
    this.#foreign = null;
    this.#paint();
    const flat = new OffscreenCanvas(this.#canvas.width, this.#canvas.height);
    flat.getContext("2d").drawImage(this.#canvas, 0, 0);
    this.#picture = flat;
    this.#strokes = rest;
    this.#paint();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #begin(place) {
    const stroke = {id: crypto.randomUUID(), tool: this.tool, color: this.color, width: 5, points: [...place], text: ""};
    if (this.tool === "text") {
      if (!this.text.trim()) return;
      this.#made = {...stroke, text: this.text.trim()};
      return this.#end();
    }
    this.#made = stroke;
    this.#paint();
  }

  #move(place) {
    const made = this.#made;
    if (!made) return;
    if (made.tool !== "pen") made.points = [made.points[0], made.points[1], ...place];
    else if (made.points.length < 1990) made.points.push(...place);
    this.#paint();
    if (performance.now() - this.#last > 80) { this.#last = performance.now(); this.onmaking(tidy(made)); }
  }

  #end() {
    const made = this.#made && tidy(this.#made);
    this.#made = null;
    if (!made) return;
    if (made.tool === "pen" && made.points.length === 2) made.points.push(made.points[0] + 0.002, made.points[1]); // a dot
    if (made.tool !== "text" && made.points.length < 4) return this.#paint();
    this.add(made);
    this.onstroke(made);
  }

  /** Arrows move the point, space or enter puts the pen down and lifts it. */
  #key(event) {
    const step = KEYS[event.key];
    if (step) {
      event.preventDefault();
      this.#cursor ??= [0.5, 0.5];
      const far = event.shiftKey ? 0.1 : 0.02;
      this.#cursor = this.#cursor.map((value, i) => Math.min(1, Math.max(0, value + step[i] * far)));
      this.#move(this.#cursor);
    } else if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      this.#cursor ??= [0.5, 0.5];
      if (this.#made) this.#end();
      else this.#begin(this.#cursor);
    } else {
      return;
    }
    this.#paint();
  }

  #paint() {
    if (!this.#picture) return;
    const {width, height} = this.#canvas, context = this.#context;
    context.drawImage(this.#picture, 0, 0, width, height);
    context.lineCap = context.lineJoin = "round";
    for (const stroke of [...this.#strokes, this.#foreign, this.#made].filter(Boolean)) {
      const thick = Math.max(2, stroke.width * width / 1000), points = [];
      for (let i = 0; i < stroke.points.length; i += 2) points.push([stroke.points[i] * width, stroke.points[i + 1] * height]);
      context.strokeStyle = stroke.color;
      context.lineWidth = thick;
      PAINT[stroke.tool](context, points, {...stroke, width: thick});
    }
    if (!this.#cursor) return;
    const [x, y] = [this.#cursor[0] * width, this.#cursor[1] * height];
    for (const [color, thick] of [["#000", 5], ["#fff", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = thick;
      context.beginPath();
      for (const [dx, dy] of Object.values(KEYS)) { context.moveTo(x + dx * 6, y + dy * 6); context.lineTo(x + dx * 18, y + dy * 18); }
      context.stroke();
    }
  }
}

const tidy = (stroke) => ({...stroke, points: stroke.points.map((n) => Math.round(Math.min(2, Math.max(-1, n)) * 10000) / 10000)});
