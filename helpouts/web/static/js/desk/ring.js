// What rings: a modal dialog, sound, the title of the page, a notification.  Which device answers first is the server's to say.
import * as sound from "./sound.js";

const SPOKEN_AT = [30, 10]; // seconds left that are read aloud

export class Ring {
  #dialog = document.getElementById("ring");
  #texts; #offerUrl; #csrf; #current = null; #end = 0; #timer = null; #title = document.title; #notice = null; #from = null; #answering = false;

  constructor({texts, offerUrl, csrf}) {
    this.#texts = texts;
    this.#offerUrl = offerUrl;
    this.#csrf = csrf;
    if (!this.#dialog) return;
    this.#dialog.addEventListener("cancel", (event) => event.preventDefault()); // Escape is no answer
    for (const button of this.#dialog.querySelectorAll("[data-answer]")) {
      button.addEventListener("click", () => this.#answer(button.dataset.answer));
    }
  }

  /** Show the offer that rings, or none. */
  show(offer) {
    if (!this.#dialog) return;
    if (!offer) { if (!this.#answering) this.#stop(); return; }
    if (this.#current?.id === offer.id) return;
    this.#stop();
    this.#current = offer;
    this.#end = performance.now() + (offer.until - offer.now);
    this.#fill(offer);
    this.#from = document.activeElement;
    this.#dialog.showModal();
    this.#part("heading").focus();
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), 500);
    sound.ring().then((heard) => { this.#part("muted").hidden = heard; });
    this.#notify(offer);
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-ring="${name}"]`);
  }

  #fill(offer) {
    this.#part("heading").textContent = this.#texts.heading.replace("NAME", offer.customer);
    this.#part("title").textContent = offer.title;
    this.#part("price").textContent = `${offer.price} · ${offer.length}`;
    this.#part("error").hidden = true;
    this.#part("answers").replaceChildren(...offer.answers.flatMap(([label, answer]) => {
      const term = document.createElement("dt"), text = document.createElement("dd");
      term.textContent = label;
      text.textContent = answer;
      return [term, text];
    }));
  }

  #tick() {
    const left = Math.max(0, Math.ceil((this.#end - performance.now()) / 1000));
    const whole = Math.max(1, (this.#current.until - this.#current.now) / 1000);
    this.#part("left").textContent = this.#texts.left.replace("SECONDS", left);
    this.#part("bar").value = left / whole;
    if (SPOKEN_AT.includes(left)) this.#part("spoken").textContent = this.#texts.spoken.replace("SECONDS", left);
    document.title = document.title === this.#title ? `● ${this.#texts.title}` : this.#title;
    if (left === 0 && !this.#answering) this.#stop();
  }

  #notify(offer) {
    if (!("Notification" in window) || Notification.permission !== "granted" || document.visibilityState === "visible") return;
    try {
      this.#notice = new Notification(this.#texts.heading.replace("NAME", offer.customer), {body: offer.title, tag: offer.id, requireInteraction: true});
      this.#notice.onclick = () => { window.focus(); this.#notice?.close(); };
    } catch { /* some phones only allow them from a service worker; Web Push reaches those */ }
  }

  async #answer(answer) {
    const offer = this.#current;
    if (!offer || this.#answering) return;
    this.#answering = true;
    sound.stop();
    try {
      const reply = await fetch(`${this.#offerUrl.replace("OFFER", offer.id)}/${answer}`, {
        method: "POST", headers: {"X-CSRFToken": this.#csrf, Accept: "application/json"}, signal: AbortSignal.timeout(10000),
      });
      const body = await reply.json();
      if (reply.ok && body.go) { document.title = this.#title; location.assign(body.go); return; }
      this.#answering = false;
      if (reply.ok) this.#stop();
      else this.#say(body.error || this.#texts.failed, reply.status < 500);
    } catch {
      this.#answering = false;
      this.#say(this.#texts.failed, false);
    }
  }

  #say(text, over) {
    const error = this.#part("error");
    error.textContent = text;
    error.hidden = false;
    if (over) setTimeout(() => this.#stop(), 3000);
  }

  #stop() {
    sound.stop();
    clearInterval(this.#timer);
    this.#timer = null;
    this.#notice?.close();
    this.#notice = null;
    document.title = this.#title;
    if (!this.#current) return;
    this.#current = null;
    if (this.#dialog.open) this.#dialog.close();
    this.#from?.focus?.();
  }
}
