// The shared notes without their page: what we have written goes to the server one change at a time; what the other side
// writes is put into our text as it is now.  The server's order counts; see helpouts/sessions/notes.py.

import {apply, compose, difference, idle, transform} from "./text-changes.js";

export class Notes {
  #send; #show; #me; #newId;
  #revision = null; // of the server's text; null while we have none
  #sent = null; // {client_id, change}: on its way, made on #revision
  #waiting = null; // a change of ours after it
  #away = true; #catching = false;

  /** show(change, text): the other side's change has come into the text; with null the text is another one. */
  constructor({me, send, show, newId = () => crypto.randomUUID()}) {
    this.#me = me;
    this.#send = send;
    this.#show = show;
    this.#newId = newId;
    this.text = "";
  }

  get saved() { return !this.#sent && !this.#waiting; }

  /** The text is this now, because we have written. */
  write(text) {
    const change = difference(this.text, text);
    if (idle(change)) return;
    this.text = text;
    this.#waiting = this.#waiting ? compose(this.#waiting, change) : change;
    this.#push();
  }

  pause() { this.#away = true; }

  /** The connection stands: the text where we have none, else what we have missed. */
  welcome({revision, text}) {
    this.#away = false;
    if (this.#revision === null) {
      this.#revision = revision;
      this.text = text;
      this.#show(null, text);
    } else {
      this.#catchUp();
    }
  }

  #catchUp() {
    this.#catching = true;
    this.#send({type: "notes_since", revision: this.#revision});
  }

  /** What we have missed; then our own change again, if it is not among it. */
  missed({changes, more}) {
    for (const change of changes) this.#step(change);
    if (more) return this.#catchUp();
    this.#catching = false;
    if (this.#sent) this.#offer();
    else this.#push();
  }

  /** A change in its turn; one too far ahead says that we have missed some. */
  receive(message) {
    if (this.#revision === null || this.#away) return;
    if (message.revision > this.#revision + 1) { if (!this.#catching) this.#catchUp(); return; }
    this.#step(message);
    this.#push();
  }

  #step({revision, user, client_id: id, change}) {
    if (revision !== this.#revision + 1) {
      if (user === this.#me && id === this.#sent?.client_id && revision <= this.#revision) this.#sent = null;
      return;
    }
    this.#revision = revision;
    if (user === this.#me && id === this.#sent?.client_id) { this.#sent = null; return; }
    if (this.#sent) [change, this.#sent.change] = transform(change, this.#sent.change);
    if (this.#waiting) [change, this.#waiting] = transform(change, this.#waiting);
    [this.text] = apply(this.text, change);
    this.#show(change, this.text);
  }

  /** The server does not take our change: the text is what it says. */
  refused({revision, text}) {
    this.#sent = this.#waiting = null;
    this.#revision = revision;
    this.text = text;
    this.#show(null, text);
  }

  #push() {
    if (this.#away || this.#catching || this.#revision === null || this.#sent || !this.#waiting) return;
    if (idle(this.#waiting)) { this.#waiting = null; return; }
    this.#sent = {client_id: this.#newId(), change: this.#waiting};
    this.#waiting = null;
    this.#offer();
  }

  #offer() {
    this.#send({type: "notes", client_id: this.#sent.client_id, base: this.#revision, change: this.#sent.change});
  }
}
