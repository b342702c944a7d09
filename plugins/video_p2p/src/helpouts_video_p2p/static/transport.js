// The browser's side of calls from browser to browser.  The interface is that of helpouts/sessions/transport.py.
//
// Each connection has a name of its own (config.id), so that a reload is a new partner and stale messages are told
// apart.  Both say hello; the greater name offers, so there is never glare (RFC 8829 section 3.4.1 is not needed).
// Three slots are negotiated from the start, as the room page wants them; tracks come and go without another round.

const KINDS = ["audio", "video", "screen"];
const DISCONNECTED_MS = 2000; // a short gap heals by itself
const FIRST_MS = 10000; // how long the first path may take
const AGAIN_MS = 4000; // how long a restart may take before the next one
const GIVE_UP_MS = 120000;

class Connection {
  #config; #signal; #onState; #kit; #slots; #statistics;
  #pc = null; // the connection to the partner at hand
  #partner = null; // the partner's name
  #round = 0; // counts our offers: an answer to an earlier one is ignored
  #pending = []; // candidates that came before the description
  #state = null;
  #since = 0; // when the path was lost
  #timer = null;
  #work = Promise.resolve(); // negotiation, one step after the other
  #online = () => this.restart();

  constructor({config, signal, onTrack, onState, kit}) {
    this.#config = config;
    this.#signal = signal;
    this.#onState = onState;
    this.#kit = kit;
    this.#slots = new kit.Slots({say: (message) => this.#say(message), onTrack});
    this.#statistics = new kit.Statistics();
    signal.onmessage = (message) => { this.#work = this.#work.then(() => this.#heard(message)).catch((e) => this.#failed(e)); };
    addEventListener("online", this.#online);
    this.#tell("connecting");
    this.#say({hello: true});
  }

  // -- what the room page calls ------------------------------------------------------------------------------

  publish(tracks) { return this.#slots.publish(tracks); }

  replaceTrack(kind, track) { return this.#slots.replaceTrack(kind, track); }

  prefer(kind, wish) { return this.#slots.prefer(kind, wish); }

  peerPresent(present) {
    if (present) this.#say({hello: true});
    else this.#part();
    return this.#slots.present(Boolean(present));
  }

  async statistics() {
    return this.#pc ? this.#statistics.of(this.#pc) : this.#kit.Statistics.none();
  }

  /** Find a new path.  Only the one who offers can; the other asks. */
  async restart() {
    if (!this.#pc || this.#over) return;
    this.#lost();
    if (this.#offers) {
      this.#pc.restartIce();
      await this.#offer().catch((error) => this.#failed(error));
    } else this.#say({restart: true});
  }

  close() {
    if (this.#state === "closed") return;
    this.#finish("closed");
  }

  // -- meeting the other side --------------------------------------------------------------------------------

  get #over() { return this.#state === "closed" || this.#state === "failed"; }

  get #offers() { return this.#config.id > this.#partner; }

  async #heard(message) {
    if (this.#over || !message?.from) return;
    if (message.to && message.to !== this.#config.id) return; // meant for the page before this one
    if (message.hello && message.from !== this.#partner) {
      this.#meet(message.from);
      this.#say({hello: true});
      if (this.#offers) await this.#offer();
    }
    if (message.from !== this.#partner) return;
    if (Array.isArray(message.sending)) this.#slots.sending(message.sending);
    if (message.description) await this.#described(message.description, message.round);
    if ("candidate" in message) await this.#candidate(message.candidate);
    if (message.restart && this.#offers) await this.restart();
  }

  #meet(partner) {
    this.#part();
    this.#partner = partner;
    const {iceServers, iceTransportPolicy} = this.#config;
    const pc = this.#pc = new RTCPeerConnection({iceServers, iceTransportPolicy, bundlePolicy: "max-bundle"});
    pc.onicecandidate = ({candidate}) => this.#say({candidate: candidate && candidate.toJSON()});
    pc.onconnectionstatechange = () => { if (pc === this.#pc) this.#changed(pc.connectionState); };
    this.#timer = setTimeout(() => this.restart(), FIRST_MS);
  }

  #part() {
    clearTimeout(this.#timer);
    if (this.#pc) {
      this.#pc.close();
      this.#slots.use({});
      this.#since = 0;
      if (this.#state === "reconnecting") this.#tell("connected"); // alone again is not broken
    }
    this.#pc = this.#partner = null;
    this.#round = 0;
    this.#pending = [];
  }

  async #offer() {
    if (!this.#pc.getTransceivers().length) {
      for (const kind of KINDS) this.#pc.addTransceiver(kind === "audio" ? "audio" : "video", {direction: "sendrecv"});
      this.#take(this.#pc.getTransceivers());
    }
    await this.#pc.setLocalDescription(this.#stereo(await this.#pc.createOffer()));
    this.#say({description: plain(this.#pc.localDescription), round: ++this.#round});
  }

  #stereo({type, sdp}) { return {type, sdp: this.#kit.stereo(sdp)}; }

  async #described(description, round) {
    if (description.type === "answer" && round !== this.#round) return;
    await this.#pc.setRemoteDescription(this.#stereo(description));
    for (const candidate of this.#pending.splice(0)) await this.#candidate(candidate);
    if (description.type === "offer") {
      const slots = this.#pc.getTransceivers();
      for (const slot of slots) slot.direction = "sendrecv";
      this.#take(slots);
      await this.#pc.setLocalDescription(this.#stereo(await this.#pc.createAnswer()));
      this.#say({description: plain(this.#pc.localDescription), round});
    }
    if (this.#pc.connectionState === "connected") this.#changed("connected"); // a restart that nothing was wrong with
  }

  async #candidate(candidate) {
    if (!this.#pc.remoteDescription) this.#pending.push(candidate);
    else if (candidate) await this.#pc.addIceCandidate(candidate);
  }

  // Both sides made the slots in the same order.
  #take(transceivers) {
    this.#slots.use(Object.fromEntries(KINDS.map((kind, index) => [kind, transceivers[index]])));
  }

  // -- the path ----------------------------------------------------------------------------------------------

  #changed(state) {
    clearTimeout(this.#timer);
    if (state === "connected") {
      this.#since = 0;
      this.#slots.ready();
      this.#tell("connected");
    } else if (state === "disconnected") {
      this.#timer = setTimeout(() => this.restart(), DISCONNECTED_MS);
    } else if (state === "failed") this.restart();
  }

  #lost() {
    clearTimeout(this.#timer);
    this.#since ||= performance.now();
    if (performance.now() - this.#since > GIVE_UP_MS) return this.#finish("failed");
    this.#tell("reconnecting");
    this.#timer = setTimeout(() => this.restart(), AGAIN_MS);
  }

  #failed(error) {
    if (this.#over) return;
    console.warn("video:", error.message);
    this.#lost();
  }

  // -- small things ------------------------------------------------------------------------------------------

  #say(message) {
    if (this.#over) return;
    this.#signal.send({from: this.#config.id, ...(this.#partner && !message.hello && {to: this.#partner}), ...message});
  }

  #tell(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }

  #finish(state) {
    removeEventListener("online", this.#online);
    this.#slots.close();
    this.#part();
    this.#tell(state);
  }
}

const plain = ({type, sdp}) => ({type, sdp});

export async function connect(options) {
  return new Connection(options);
}

/** Our network, tried before joining: through the TURN server and back.  Without one there is nothing to try. */
export async function check({config, kit, abort}) {
  if (!config.iceServers.length) return null;
  return kit.loopBack(({onState}) => {
    const ends = {};
    const end = (id, other, told) => {
      const signal = {send: (message) => queueMicrotask(() => ends[other]?.signal.onmessage(message)), onmessage: null};
      const connection = new Connection({config: {...config, id}, signal, kit, onTrack: () => {}, onState: told});
      ends[id] = {signal, connection};
      return connection;
    };
    return {receiving: end("a", "b", () => {}), sending: end("b", "a", onState)};
  }, {abort});
}
