// The room's WebSocket: a fresh ticket for every connection, a ping every second, and back by itself after a drop.

const PING_MS = 1000;
const SILENCE_MS = 4000;
const WELCOME_MS = 12000; // the way in may lead past a transport that takes its time
const ANSWER_MS = 1000; // a connection that may be dead has this long to answer
const ASLEEP_MS = 3000; // timers that were so late have slept, and the network with them
const RETRY_MS = [0, 250, 500, 1000, 1500];
const TICKET_MS = 2500, PATIENT_MS = 8000, PATIENT_AFTER = 8; // a request into a dead network is given up soon, at first
const REPLACED = 4001, ENDED = 4002;

export class RoomSocket extends EventTarget {
  #ticketUrl; #csrf; #socket = null; #tries = 0; #heard = 0; #timer = null; #stopped = false; #after = 0;
  #wanted = false; #asking = null; #next = null; #patience = SILENCE_MS; #beaten = 0; #url = ""; #lost = "";

  constructor({ticketUrl, csrf}) {
    super();
    this.#ticketUrl = ticketUrl;
    this.#csrf = csrf;
    addEventListener("online", () => this.hurry());
    addEventListener("pageshow", () => this.hurry());
    document.addEventListener("resume", () => this.hurry());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.hurry(); });
    navigator.connection?.addEventListener?.("change", () => this.hurry());
  }

  /** What else is said on every way in. */
  hello = () => ({});

  /** Connect, and stay connected until the session is over or close() is called. */
  open() {
    this.#wanted = true;
    return this.#try();
  }

  /** The network may be another, or back: look whether the connection still stands, or make one at once. */
  hurry() {
    if (!this.#wanted || this.#stopped) return;
    if (this.#socket) return this.#probe();
    this.#tries = 0;
    this.#asking?.abort();
    if (!this.#asking) this.#soon(0);
  }

  async #try() {
    if (this.#stopped || this.#socket || this.#asking) return;
    const asking = this.#asking = new AbortController(); // one way in at a time, whatever else happens meanwhile
    const patience = setTimeout(() => asking.abort(), this.#tries < PATIENT_AFTER ? TICKET_MS : PATIENT_MS);
    try {
      const answer = await fetch(this.#ticketUrl, {
        method: "POST", body: new URLSearchParams({lost: this.#lost}),
        headers: {"X-CSRFToken": this.#csrf, "Accept": "application/json"}, signal: asking.signal,
      });
      const body = await answer.json();
      if (this.#stopped) return;
      if (answer.ok) this.#connect(body);
      else if (answer.status < 500 && answer.status !== 429) this.#stop("refused", body.error);
      else { this.#tell("unavailable", body.error); this.#retry(); }
    } catch {
      this.#retry();
    } finally {
      clearTimeout(patience);
      this.#asking = null;
    }
  }

  #connect({url, ticket}) {
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#url = url;
    this.#heard = this.#beaten = Date.now();
    this.#patience = SILENCE_MS;
    this.#timer = setInterval(() => this.#beat(), PING_MS); // from now on: a socket that never opens is given up, too
    socket.onopen = () => {
      this.#patience = WELCOME_MS;
      const device = navigator.userAgent.slice(0, 120);
      this.send({type: "hello", ticket, after: this.#after, device, ...this.hello()});
    };
    socket.onmessage = (event) => {
      this.#heard = Date.now();
      const message = JSON.parse(event.data);
      if (message.type === "welcome") {
        this.#tries = 0;
        this.#lost = "";
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
      else { this.#dropped(); }
    };
  }

  // The clock on the wall, not that of the page, which may have stood still with the machine.
  #beat() {
    const now = Date.now(), late = now - this.#beaten > PING_MS + ASLEEP_MS || now < this.#beaten;
    this.#beaten = now;
    if (late) {
      this.#heard = now;
      return this.#probe();
    }
    if (now - this.#heard > this.#patience) return this.#abandon();
    this.send({type: "ping"});
  }

  #probe() {
    const socket = this.#socket, asked = Date.now();
    if (socket?.readyState !== WebSocket.OPEN || this.#patience === WELCOME_MS) return;
    this.send({type: "ping"});
    setTimeout(() => { if (socket === this.#socket && this.#heard < asked) this.#abandon(); }, ANSWER_MS);
  }

  #abandon() {
    const socket = this.#socket;
    this.#forget();
    socket.onclose = socket.onmessage = socket.onopen = null;
    socket.close();
    this.#dropped();
  }

  #dropped() {
    this.#lost = this.#url; // whoever gives tickets may look whether that process is still alive
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
