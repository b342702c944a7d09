// The browser's side of the built-in relay.  The interface is that of helpouts/sessions/transport.py.
//
// The server offers, we answer; three slots (microphone, camera, screen) are negotiated from the start, so that
// tracks come and go without another round.  Tracks are attached only while the other side is there: an empty
// room costs nobody battery or bandwidth.

const KIND_OF_MID = {a: "audio", v: "video", s: "screen"};
const DISCONNECTED_MS = 2000; // a short gap heals by itself
const ATTEMPT_MS = 8000; // how long a restart may take before the next one
const READY_MS = 3000; // send anyway after this long: the message that the other side is ready may have been lost
const GIVE_UP_MS = 120000;
// Browsers take seconds to find out that a path is dead.  Sound comes fifty times a second: when nothing has come for
// this long, asking the relay for a fresh start costs little and mends a change of address at once.
const SILENCE_MS = 500;
const LOOK_MS = 100;
const QUIET_MS = 5000; // the silence may be the other side's: no more often than this, ever less, told only if it lasts
const TELL_MS = 1000;
const RETRY_MS = [0, 500, 1000, 2000, 4000, 5000];
// While a call is interrupted, seconds count.  A request that began without a network waits ever longer for an answer,
// also when the network is back: it is given up soon and begun anew.  Now and then it gets more time, for slow networks.
const HURRY_MS = [0, 300, 500, 800];
const PATIENCE_MS = [2000, 2000, 6000];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const jittered = (ms) => ms * (0.75 + Math.random() / 2);

/** The server has said a final no; anything else is worth another attempt. */
class Refused extends Error {}

class Connection {
  #config; #signal; #onState; #stereo;
  #pc; #location = null; #etag = null;
  #state = null;
  #slots; // ready as soon as the other side's connection stands: what is sent earlier is lost
  #readyTimer = null;
  #restarting = null;
  #negotiating = Promise.resolve(); // one round after the other
  #timer = null;
  #watching = null; #theirs = []; #asked = 0; #pause = QUIET_MS;
  #statistics;
  #online = () => { if (this.#location && this.#state !== "connecting") this.restart(); };
  #pagehide = () => this.#leave();

  constructor({config, signal, onTrack, onState, kit}) {
    this.#config = config;
    this.#signal = signal;
    this.#onState = onState;
    this.#stereo = kit.stereo;
    this.#slots = new kit.Slots({say: (message) => this.#say(message), onTrack});
    this.#statistics = new kit.Statistics();
    this.#pc = kit.roaming({iceServers: config.iceServers || [], bundlePolicy: "max-bundle"});
    this.#pc.onconnectionstatechange = () => this.#connectionChanged();
    this.#watching = setInterval(() => this.#look(), LOOK_MS);
    signal.onmessage = (message) => this.#heard(message);
    addEventListener("online", this.#online);
    addEventListener("pagehide", this.#pagehide);
    this.#tell("connecting");
    this.#join();
  }

  // -- what the room page calls ------------------------------------------------------------------------------

  publish(tracks) { return this.#slots.publish(tracks); }

  replaceTrack(kind, track) { return this.#slots.replaceTrack(kind, track); }

  prefer(kind, wish) { return this.#slots.prefer(kind, wish); }

  peerPresent(present) {
    clearTimeout(this.#readyTimer);
    if (!present) this.#theirs = [];
    if (present) {
      this.#say({hello: true});
      this.#readyTimer = setTimeout(() => this.#slots.ready(), READY_MS);
    }
    return this.#slots.present(Boolean(present));
  }

  statistics() {
    return this.#statistics.of(this.#pc);
  }

  restart({quietly = false} = {}) {
    if (this.#over || (!this.#location && this.#state === "connecting")) return Promise.resolve();
    if (!this.#location) return Promise.resolve(this.#finish("failed")); // left with the page, which came back
    this.#restarting = this.#restarting || this.#restart(quietly).finally(() => { this.#restarting = null; });
    return this.#restarting;
  }

  close() {
    if (this.#state === "closed") return;
    this.#finish("closed");
  }

  // -- negotiation -------------------------------------------------------------------------------------------

  get #over() { return this.#state === "closed" || this.#state === "failed"; }

  async #join() {
    try {
      const headers = {Authorization: `Bearer ${this.#config.token}`};
      const response = await this.#insist(this.#config.url, {method: "POST", headers}, 50000);
      this.#location = new URL(response.headers.get("Location"), this.#config.url).href;
      if (this.#over) return this.#leave();
      await this.#negotiate(() => response);
      this.#watchGoodbye();
      this.#say({hello: true});
    } catch (error) {
      if (!this.#over) this.#finish("failed", error);
    }
  }

  // Answer the offer that `ask` brings, when the round before is over.
  #negotiate(ask) {
    const turn = this.#negotiating.then(async () => this.#answer(await ask()));
    this.#negotiating = turn.catch(() => {});
    return turn;
  }

  async #answer(response) {
    this.#etag = response.headers.get("ETag");
    await this.#pc.setRemoteDescription({type: "offer", sdp: this.#stereo(await response.text())});
    const slots = {};
    for (const transceiver of this.#pc.getTransceivers()) {
      const kind = KIND_OF_MID[transceiver.mid];
      if (!kind) continue;
      transceiver.direction = "sendrecv";
      slots[kind] = transceiver;
    }
    const {type, sdp: plain} = await this.#pc.createAnswer();
    await this.#pc.setLocalDescription({type, sdp: this.#stereo(plain)});
    this.#slots.use(slots);
    const sdp = this.#pc.localDescription.sdp;
    const headers = {"Content-Type": "application/sdp", "If-Match": this.#etag};
    const waits = this.#restarting ? HURRY_MS : RETRY_MS;
    await this.#insist(this.#location, {method: "PATCH", headers, body: sdp}, 20000, waits);
  }

  // Ask until there is an answer that asking again would not change.
  async #insist(url, options, patience, waits = RETRY_MS) {
    const end = performance.now() + patience;
    for (let attempt = 0; ; attempt += 1) {
      let wait = jittered(waits[Math.min(attempt + 1, waits.length - 1)]);
      try {
        const signal = AbortSignal.timeout(waits === HURRY_MS ? PATIENCE_MS[attempt % PATIENCE_MS.length] : 15000);
        const response = await fetch(url, {...options, signal});
        if (response.ok) return response;
        if (response.status < 500 && response.status !== 429) throw new Refused(`the relay says ${response.status}`);
        wait = Math.max(wait, 1000 * (Number(response.headers.get("Retry-After")) || 0));
      } catch (error) {
        if (error instanceof Refused) throw error; // all else is the network
      }
      if (this.#state === "closed") throw new Refused("closed");
      if (performance.now() + wait > end) throw new Error("the relay does not answer");
      await sleep(wait);
    }
  }

  #post(what, patience, waits) {
    return this.#insist(`${this.#location}/${what}`, {method: "POST"}, patience, waits);
  }

  // The other side shows other codecs than we send: the relay offers what suits both.
  async #renegotiate() {
    if (!this.#location) return; // it is asked again when we have joined
    try {
      await this.#negotiate(() => this.#post("offer", 20000));
    } catch (error) {
      if (!this.#over) this.restart(); // which negotiates as well, or finds out that the connection is over
    }
  }

  async #restart(quietly) {
    const telling = setTimeout(() => this.#tell("reconnecting"), quietly ? TELL_MS : 0);
    try {
      await this.#restartUntilItStands();
    } finally {
      clearTimeout(telling);
    }
  }

  async #restartUntilItStands() {
    const end = performance.now() + GIVE_UP_MS;
    for (let attempt = 0; !this.#over; attempt += 1) {
      try {
        await sleep(jittered(HURRY_MS[Math.min(attempt, HURRY_MS.length - 1)]));
        await this.#negotiate(() => this.#post("restart", GIVE_UP_MS, HURRY_MS));
        if (await this.#settled()) return;
      } catch (error) {
        if (this.#over) return;
        // 404: the connection is over, the room page asks for a new grant.
        if (error instanceof Refused && !/412/.test(error.message)) return this.#finish("failed", error);
      }
      if (performance.now() > end) return this.#finish("failed", new Error("the network did not come back"));
    }
  }

  // True as soon as the path stands, false when it takes too long.
  async #settled() {
    for (const end = performance.now() + ATTEMPT_MS; performance.now() < end && !this.#over; await sleep(50)) {
      if (this.#pc.connectionState === "connected") {
        this.#tell("connected");
        return true;
      }
    }
    return false;
  }

  // Nothing comes although the other side sends: perhaps our address is another now.
  #look() {
    const now = performance.timeOrigin + performance.now();
    if (this.#state !== "connected" || this.#restarting) return;
    if (!this.#theirs.includes("audio") && !this.#theirs.includes("video")) return;
    const receivers = this.#pc.getReceivers().flatMap((receiver) => receiver.getSynchronizationSources());
    const last = Math.max(0, ...receivers.map(({timestamp}) => timestamp));
    if (last && now - last < SILENCE_MS) this.#pause = QUIET_MS;
    else if (last && now - this.#asked > this.#pause) this.#ask(now);
  }

  #ask(now) {
    this.#asked = now;
    this.#pause = Math.min(2 * this.#pause, 60000);
    this.restart({quietly: true});
  }

  #connectionChanged() {
    clearTimeout(this.#timer);
    const state = this.#pc.connectionState;
    if (state === "connected") {
      this.#tell("connected"); // during a restart, too: the old path may be back first
    } else if (state === "disconnected") {
      this.#timer = setTimeout(() => this.restart(), DISCONNECTED_MS);
    } else if (state === "failed") {
      this.restart();
    }
  }

  // The relay says goodbye when it drops us (DTLS close_notify): asking for a restart tells whether it is final.
  #watchGoodbye() {
    const transport = this.#slots.audio?.sender.transport;
    if (transport) transport.onstatechange = () => { if (transport.state === "closed") this.restart(); };
  }

  // -- tracks ------------------------------------------------------------------------------------------------

  #heard(message) {
    if (!message || this.#over) return;
    if (message.negotiate) this.#renegotiate();
    if (message.ready) this.#slots.ready();
    if (Array.isArray(message.sending)) {
      this.#theirs = message.sending;
      this.#slots.sending(message.sending);
    }
  }

  #say(message) {
    if (!this.#over) this.#signal.send(message);
  }

  // -- the end -----------------------------------------------------------------------------------------------

  #tell(state, error) {
    if (state === this.#state || this.#over) return;
    this.#state = state;
    if (error) console.warn("video:", error.message);
    this.#onState(state);
  }

  #finish(state, error) {
    clearTimeout(this.#timer);
    clearTimeout(this.#readyTimer);
    clearInterval(this.#watching);
    removeEventListener("online", this.#online);
    removeEventListener("pagehide", this.#pagehide);
    this.#slots.close();
    if (this.#state === "failed") this.#state = null; // closing after a failure is told as well
    this.#tell(state, error);
    this.#leave();
    this.#pc.close();
  }

  #leave() {
    if (!this.#location) return;
    fetch(this.#location, {method: "DELETE", keepalive: true}).catch(() => {}); // the relay notices the silence, too
    this.#location = null;
  }
}

export async function connect(options) {
  return new Connection(options);
}

/** Our network, tried before joining: the relay sends back what it gets. */
export function check({config, kit, abort}) {
  return kit.loopBack(({onState}) => {
    const signal = {send: () => {}, onmessage: null};
    const connection = new Connection({
      config, signal, kit, onTrack: () => {},
      onState: (state) => {
        if (state === "connected") signal.onmessage({ready: true});
        onState(state);
      },
    });
    return {sending: connection, receiving: connection};
  }, {abort});
}
