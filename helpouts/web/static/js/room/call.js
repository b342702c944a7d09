// The media of the call: the transport's module, our tracks, the other side's picture and sound.

import * as kit from "./kit.js";

const POLL_MS = 2000;
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];

export class Call extends EventTarget {
  #connection = null; #devices; #socket; #signal = null; #screen = null; #peer = false; #generation = 0;
  #camera; #sharing; #poll = null; #again = null; #failures = 0;

  constructor(root, devices, socket) {
    super();
    this.#devices = devices;
    this.#socket = socket;
    this.#camera = root.querySelector("[data-remote]");
    this.#sharing = root.querySelector("[data-remote-screen]");
    devices.onchange = (kind, track) => this.#connection?.replaceTrack(kind, track);
  }

  /** The server admits us: connect with the transport it names, anew each time; ask again when it has none for us. */
  async join(transport, retryAfter = 5) {
    const generation = ++this.#generation;
    this.#drop();
    if (!transport) return this.#ask(retryAfter * 1000);
    try {
      const module = await import(transport.module);
      if (generation !== this.#generation) return;
      this.#signal = {send: (data) => this.#socket.send({type: "signal", data}), onmessage: null};
      const connection = await module.connect({
        config: transport.config,
        signal: this.#signal,
        kit,
        onTrack: (kind, track) => { if (generation === this.#generation) this.#show(kind, track); },
        onState: (state) => { if (generation === this.#generation) this.#changed(state); },
      });
      if (generation !== this.#generation) return connection.close();
      this.#connection = connection;
      connection.publish({audio: this.#devices.audio, video: this.#devices.video});
      if (this.#screen) connection.replaceTrack("screen", this.#screen);
      connection.peerPresent(this.#peer);
      this.#poll = setInterval(() => this.#measure(), POLL_MS);
    } catch (error) {
      console.warn("the transport could not connect:", error);
      if (generation === this.#generation) this.#changed("failed");
    }
  }

  /** The way to the server is gone, and with it the chance to ask. */
  pause() {
    clearTimeout(this.#again);
  }

  #ask(delay) {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#socket.send({type: "grant"}), delay);
  }

  #drop() {
    clearTimeout(this.#again);
    clearInterval(this.#poll);
    this.#connection?.close();
    this.#connection = this.#signal = null;
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
    const element = kind === "screen" ? this.#sharing : this.#camera;
    // Not earlier: an element with an empty stream would hold back the page's load event.
    const stream = element.srcObject ??= new MediaStream();
    const same = (old) => (kind === "audio") === (old.kind === "audio");
    for (const old of stream.getTracks().filter(same)) stream.removeTrack(old);
    if (track) stream.addTrack(track);
    if (kind === "screen") this.#tell("screen", Boolean(track));
    if (kind === "video") this.#tell("picture", Boolean(track));
    element.play().catch(() => this.#tell("blocked"));
  }

  /** Begin or end sharing the screen; tells whether it is shared now. */
  async share(on) {
    this.#screen?.stop();
    this.#screen = null;
    if (on) {
      const stream = await navigator.mediaDevices.getDisplayMedia({video: {frameRate: 15}, audio: false});
      this.#screen = stream.getVideoTracks()[0];
      this.#screen.contentHint = "detail";
      this.#screen.onended = () => { this.share(false); this.#tell("sharing", false); };
    }
    await this.#connection?.replaceTrack("screen", this.#screen);
    return Boolean(this.#screen);
  }

  async #measure() {
    const figures = await this.#connection?.statistics().catch(() => null);
    if (!figures) return;
    const {rttMs = 0, lossPercent = 0} = figures;
    const quality = lossPercent > 6 || rttMs > 400 ? "poor" : lossPercent > 2 || rttMs > 200 ? "fair" : "good";
    this.#tell("quality", {quality, ...figures});
  }

  #changed(state) {
    this.#tell("state", state);
    if (state === "connected") this.#failures = 0;
    if (state === "failed") this.#ask(AGAIN_MS[Math.min(this.#failures++, AGAIN_MS.length - 1)]);
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, {detail}));
  }

  close() {
    this.#generation++;
    this.#screen?.stop();
    this.#drop();
  }
}
