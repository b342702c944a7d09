// The room's WebSocket: a fresh ticket for every connection, a ping every second, and back by itself after a drop.

const PING_MS = 1000;
const SILENCE_MS = 4000;
const WELCOME_MS = 12000; // the way in may lead past a transport that takes its time
const RETRY_MS = [0, 300, 700, 1500, 2000];
const REPLACED = 4001, ENDED = 4002;

export class RoomSocket extends EventTarget {
  #ticketUrl; #csrf; #socket = null; #tries = 0; #heard = 0; #timer = null; #stopped = false; #after = 0;
  #wanted = false; #asking = false; #next = null; #patience = SILENCE_MS;

  constructor({ticketUrl, csrf}) {
    super();
    this.#ticketUrl = ticketUrl;
    this.#csrf = csrf;
    addEventListener("online", () => this.#soon(0));
  }

  /** Connect, and stay connected until the session is over or close() is called. */
  open() {
    this.#wanted = true;
    return this.#try();
  }

  async #try() {
    if (this.#stopped || this.#socket || this.#asking) return;
    this.#asking = true; // one way in at a time, whatever else happens meanwhile
    try {
      const answer = await fetch(this.#ticketUrl, {
        method: "POST", headers: {"X-CSRFToken": this.#csrf, "Accept": "application/json"}, signal: AbortSignal.timeout(8000),
      });
      const body = await answer.json();
      if (this.#stopped) return;
      if (answer.ok) this.#connect(body);
      else if (answer.status < 500 && answer.status !== 429) this.#stop("refused", body.error);
      else { this.#tell("unavailable", body.error); this.#retry(); }
    } catch {
      this.#retry();
    } finally {
      this.#asking = false;
    }
  }

  #connect({url, ticket}) {
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#heard = performance.now();
    this.#patience = SILENCE_MS;
    this.#timer = setInterval(() => this.#beat(), PING_MS); // from now on: a socket that never opens is given up, too
    socket.onopen = () => {
      this.#patience = WELCOME_MS;
      this.send({type: "hello", ticket, after: this.#after, device: navigator.userAgent.slice(0, 120)});
    };
    socket.onmessage = (event) => {
      this.#heard = performance.now();
      const message = JSON.parse(event.data);
      if (message.type === "welcome") {
        this.#tries = 0;
        this.#patience = SILENCE_MS;
        for (const line of message.chat) this.#after = Math.max(this.#after, line.seq);
      }
      if (message.type === "chat") this.#after = Math.max(this.#after, message.seq);
      if (message.type !== "pong") this.#tell("message", message);
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#forget();
      if (event.code === REPLACED) this.#stop("replaced");
      else if (event.code === ENDED) this.#stop("ended");
      else { this.#tell("dropped"); this.#retry(); }
    };
  }

  #beat() {
    if (performance.now() - this.#heard > this.#patience) return this.#abandon();
    this.send({type: "ping"});
  }

  #abandon() {
    const socket = this.#socket;
    this.#forget();
    socket.onclose = socket.onmessage = socket.onopen = null;
    socket.close();
    this.#tell("dropped");
    this.#retry();
  }

  #forget() {
    clearInterval(this.#timer);
    this.#socket = null;
  }

  #retry() {
    this.#soon(RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)] * (0.8 + Math.random() * 0.4));
  }

  #soon(delay) {
    if (!this.#wanted || this.#stopped || this.#socket) return;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#try(), delay);
  }

  #stop(kind, detail) {
    this.#stopped = true;
    this.#tell(kind, detail);
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, {detail}));
  }

  /** Send now; false when there is no connection (the caller keeps what must not be lost). */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Leave for good. */
  close() {
    this.#stopped = true;
    this.send({type: "leave"});
    this.#socket?.close(1000);
    this.#forget();
  }
}
