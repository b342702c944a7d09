// The chat: a line is shown at once, marked until the server has it, and sent again after a drop.

const LINK = /\bhttps?:\/\/[^\s<>"]+/g;

/** A number of bytes as people read it. */
export function inWords(size, locale) {
  const [value, unit] = size < 1000 ? [size, "B"] : size < 999500 ? [size / 1000, "kB"] : [size / 1e6, "MB"];
  return `${value.toLocaleString(locale, {maximumFractionDigits: unit === "MB" ? 1 : 0})} ${unit}`;
}

export class Chat {
  #log; #form; #send; #me; #names; #texts; #waiting = new Map(); #seen = new Set(); #locale; #ready = false; #urls;

  constructor(root, {me, names, texts, locale, send, onarrival, filesUrl, snapshotsUrl}) {
    this.#log = root.querySelector("[data-chat-log]");
    this.#form = root.querySelector("[data-chat-form]");
    this.#send = send;
    this.#me = me;
    this.#names = names;
    this.#texts = texts;
    this.#locale = locale;
    this.onarrival = onarrival;
    this.#urls = {file: filesUrl, snapshot: snapshotsUrl};
    const input = this.#form.querySelector("textarea");
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#say(input); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.#say(input); }
    });
  }

  #say(input) {
    const body = input.value.trim();
    if (!body) return;
    const id = crypto.randomUUID();
    const line = this.#line({user: this.#me, body, at: new Date().toISOString()});
    line.classList.add("chat__line--waiting");
    this.#waiting.set(id, {body, line});
    input.value = "";
    this.#deliver(id);
  }

  /** A file of ours is on its way: its line, whose text the sender of files writes until the server has it. */
  sending(id, name) {
    const line = this.#line({user: this.#me, body: name, at: new Date().toISOString()});
    line.classList.add("chat__line--waiting");
    this.#waiting.set(id, {line, file: true});
    return line;
  }

  /** It does not come. */
  forget(id) {
    this.#waiting.get(id)?.line.remove();
    this.#waiting.delete(id);
  }

  #deliver(id) {
    const {body, line, file} = this.#waiting.get(id);
    if (file) return;
    if (!this.#ready || !this.#send({type: "chat", client_id: id, body})) line.title = this.#texts.chat_failed;
  }

  /** The connection dropped: lines wait, so that none overtakes an earlier one that was lost on the way. */
  pause() {
    this.#ready = false;
  }

  /** The connection is back: what the server has not acknowledged goes again, in the order it was written. */
  resend() {
    this.#ready = true;
    for (const id of this.#waiting.keys()) this.#deliver(id);
  }

  /** A line from the server: the other side's, or the acknowledgement of ours. */
  receive(message) {
    if (this.#seen.has(message.seq)) return;
    this.#seen.add(message.seq);
    const own = this.#waiting.get(message.client_id);
    if (own) {
      own.line.classList.remove("chat__line--waiting");
      own.line.removeAttribute("title");
      if (message.file) own.line.querySelector(".chat__text").replaceWith(this.#file(message.file));
      this.#waiting.delete(message.client_id);
      return;
    }
    this.#line(message);
    if (message.user !== this.#me) this.onarrival?.(message);
  }

  /** A file to be fetched: its name and size, a small picture of it where there is one. */
  #file({id, kind, name, size, picture, removed}) {
    const open = !removed && this.#urls.file; // an operator sees only that there is one
    const box = document.createElement(open ? "a" : "p");
    box.className = "chat__text chat__file";
    const label = document.createElement("span");
    label.textContent = kind === "snapshot" ? this.#texts.snapshot : name;
    const about = document.createElement("small");
    about.textContent = removed ? this.#texts.file_removed : inWords(size, this.#locale);
    if (open) {
      box.href = `${this.#urls.file}/${id}`;
      box.dataset.file = id;
      box.dataset.kind = kind;
      if (picture) box.append(Object.assign(document.createElement("img"), {src: `${this.#urls.file}/${id}/preview`, alt: "", loading: "lazy"}));
      if (kind === "file") box.download = name;
    }
    box.append(label, about);
    return box;
  }

  /** The time, and what has happened, in place of who says something. */
  #notice(line, when, text) {
    const said = Object.assign(document.createElement("p"), {textContent: `${text} `});
    said.append(when);
    line.className = "chat__line chat__line--notice";
    line.append(said);
  }

  #who({user, kind, name}) {
    if (user === this.#me) return this.#texts.you;
    return kind === "operator" ? this.#texts.operator_named.replace("%(name)s", () => name) : this.#names[user];
  }

  #line({user, body, at, file, kind = "", name = ""}) {
    const line = document.createElement("div");
    line.className = user === this.#me ? "chat__line chat__line--mine" : "chat__line";
    const who = document.createElement("span");
    who.className = "chat__who";
    who.textContent = this.#who({user, kind, name});
    const when = document.createElement("time");
    when.dateTime = at;
    when.textContent = new Date(at).toLocaleTimeString(this.#locale, {timeStyle: "short"});
    const notice = this.#texts[`notice_${kind}`];
    if (notice) {
      this.#notice(line, when, notice.replace("%(name)s", () => name).replace("%(reason)s", () => body));
      return this.#put(line);
    }
    const text = document.createElement("p");
    text.className = "chat__text";
    let end = 0;
    for (const match of body.matchAll(LINK)) {
      const link = Object.assign(document.createElement("a"), {href: match[0], textContent: match[0], target: "_blank", rel: "noopener noreferrer nofollow"});
      text.append(body.slice(end, match.index), link);
      end = match.index + match[0].length;
    }
    text.append(body.slice(end));
    who.append(" ", when);
    line.append(who, file ? this.#file(file) : text);
    return this.#put(line);
  }

  #put(line) {
    this.#log.append(line);
    this.#log.scrollTop = this.#log.scrollHeight;
    return line;
  }
}
