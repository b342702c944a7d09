// The media of the call: the transport's module, our tracks, the other side's picture and sound.

import * as kit from "./kit.js";

const POLL_MS = 2000;
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];

export class Call extends EventTarget {
  #connection = null; #socket; #signal = null; #peer = false; #generation = 0; #views;
  #tracks = {audio: null, video: null, screen: null}; #wishes = {}; #poll = null; #again = null; #failures = 0;
  #id = ""; #unsaid = null; // the grant that we hold; what the transport says while there is no way to the server

  constructor(root, socket) {
    super();
    this.#socket = socket;
    this.#views = {camera: root.querySelector("[data-remote]"), screen: root.querySelector("[data-remote-screen]")};
  }

  /** The server admits us: connect with the transport it names, anew each time; ask again when it has none for us. */
  async join(transport, retryAfter = 5) {
    const generation = ++this.#generation;
    this.#drop();
    if (!transport) return this.#ask(retryAfter * 1000);
    try {
      const module = await import(transport.module);
      if (generation !== this.#generation) return;
      this.#signal = {send: (data) => this.#say(data), onmessage: null};
      this.#id = transport.id;
      const connection = await module.connect({
        config: transport.config,
        signal: this.#signal,
        kit,
        onTrack: (kind, track) => { if (generation === this.#generation) this.#show(kind, track); },
        onState: (state) => { if (generation === this.#generation) this.#changed(state); },
      });
      if (generation !== this.#generation) return connection.close();
      this.#connection = connection;
      for (const [kind, wish] of Object.entries(this.#wishes)) connection.prefer?.(kind, wish);
      connection.publish({audio: this.#tracks.audio, video: this.#tracks.video});
      if (this.#tracks.screen) connection.replaceTrack("screen", this.#tracks.screen);
      connection.peerPresent(this.#peer);
      this.#poll = setInterval(() => this.#measure(), POLL_MS);
    } catch (error) {
      console.warn("the transport could not connect:", error);
      if (generation === this.#generation) this.#changed("failed");
    }
  }

  /** Send this track as "audio", "video" or "screen" from now on, null: nothing. */
  send(kind, track) {
    this.#tracks[kind] = track;
    return this.#connection?.replaceTrack(kind, track);
  }

  /** How a kind is to be sent: {maxBitrate, priority}, as far as the transport can. */
  prefer(kind, wish) {
    this.#wishes[kind] = wish;
    return this.#connection?.prefer?.(kind, wish);
  }

  /** What the server is asked to keep for us; empty when there is nothing worth it. */
  get held() { return this.#connection ? this.#id : ""; }

  /** The way to the server is gone, and with it the chance to ask; pictures and sound may go on. */
  pause() {
    clearTimeout(this.#again);
    if (this.#connection) this.#unsaid ??= [];
  }

  /** The way to the server is back, and it has kept what we hold. */
  resume() {
    for (const data of this.#unsaid?.splice(0) ?? []) this.#socket.send({type: "signal", data});
    this.#unsaid = null;
  }

  #say(data) {
    if (this.#unsaid) this.#unsaid.push(data);
    else this.#socket.send({type: "signal", data});
  }

  #ask(delay) {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#socket.send({type: "grant"}), delay);
  }

  #drop() {
    clearTimeout(this.#again);
    clearInterval(this.#poll);
    this.#connection?.close();
    this.#connection = this.#signal = this.#unsaid = null;
    this.#id = "";
  }

  /** A message of the transport's server side. */
  signal(data) {
    this.#signal?.onmessage?.(data);
  }

  peerPresent(present) {
    this.#peer = present;
    this.#connection?.peerPresent(present);
  }

  #show(kind, track) {
    const element = kind === "screen" ? this.#views.screen : this.#views.camera;
    // Not earlier: an element with an empty stream would hold back the page's load event.
    const stream = element.srcObject ??= new MediaStream();
    const same = (old) => (kind === "audio") === (old.kind === "audio");
    for (const old of stream.getTracks().filter(same)) stream.removeTrack(old);
    if (track) stream.addTrack(track);
    if (kind === "screen") this.#tell("screen", Boolean(track));
    if (kind === "video") this.#tell("picture", Boolean(track));
    element.play().catch(() => this.#tell("blocked"));
  }

  async #measure() {
    const figures = await this.#connection?.statistics().catch(() => null);
    if (figures) this.#tell("figures", figures);
  }

  #changed(state) {
    this.#tell("state", state);
    if (state === "connected") this.#failures = 0;
    if (state !== "failed") return;
    this.#id = "";
    this.#ask(AGAIN_MS[Math.min(this.#failures++, AGAIN_MS.length - 1)]);
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, {detail}));
  }

  close() {
    this.#generation++;
    this.#drop();
  }
}
