// The desk's WebSocket: a fresh ticket for each connection, and back by itself, each device at a moment of its own.

const PING_MS = 15000, SILENCE_MS = 35000, WELCOME_MS = 15000;
const FIRST_MS = 2500, MOST_MS = 30000; // the wait before try n is random below FIRST * 2^n: a restart is no stampede

export class DeskSocket extends EventTarget {
  #ticketUrl; #csrf; #socket = null; #tries = 0; #heard = 0; #beat = null; #next = null; #stopped = false; #asking = false;

  constructor({ticketUrl, csrf}) {
    super();
    this.#ticketUrl = ticketUrl;
    this.#csrf = csrf;
    addEventListener("online", () => this.#soon(0));
    addEventListener("pagehide", () => this.close()); // the next page brings its own
    addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
  }

  open() {
    this.#stopped = false;
    return this.#try();
  }

  async #try() {
    if (this.#stopped || this.#socket || this.#asking) return;
    this.#asking = true;
    try {
      const answer = await fetch(this.#ticketUrl, {
        method: "POST", headers: {"X-CSRFToken": this.#csrf, Accept: "application/json"}, signal: AbortSignal.timeout(8000),
      });
      if (this.#stopped) return;
      if (answer.ok) this.#connect(await answer.json());
      else if (answer.status === 401 || answer.status === 403) this.#stopped = true; // signed out elsewhere
      else this.#retry();
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
    let patience = WELCOME_MS;
    this.#beat = setInterval(() => {
      if (performance.now() - this.#heard > patience) return this.#lost(socket);
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
    }, PING_MS);
    socket.onopen = () => socket.send(JSON.stringify({type: "hello", ticket}));
    socket.onmessage = (event) => {
      this.#heard = performance.now();
      const message = JSON.parse(event.data);
      if (message.type !== "state") return;
      this.#tries = 0;
      patience = SILENCE_MS;
      this.dispatchEvent(new CustomEvent("state", {detail: message}));
    };
    socket.onclose = () => this.#lost(socket);
  }

  #lost(socket) {
    if (this.#socket !== socket) return;
    clearInterval(this.#beat);
    this.#socket = null;
    socket.onclose = socket.onmessage = null;
    socket.close();
    this.dispatchEvent(new CustomEvent("lost"));
    this.#retry();
  }

  #retry() {
    this.#soon(Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** this.#tries++));
  }

  #soon(delay) {
    if (this.#stopped || this.#socket) return;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#try(), delay);
  }

  /** Say goodbye: the presence ends in a moment, if no other device and no next page keeps it. */
  close() {
    this.#stopped = true;
    clearTimeout(this.#next);
    clearInterval(this.#beat);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onclose = null;
    if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"bye"}');
    socket.close(1000);
  }
}
