// The browser's side of calls over Janus.  The interface is that of helpouts/sessions/transport.py.
//
// Two connections to the server: one sends our three slots, one receives those of the other side.  We never talk to
// Janus ourselves; what is said goes through the room's WebSocket, and the live process speaks to Janus.

const DISCONNECTED_MS = 2000; // a short gap heals by itself
const FIRST_MS = 10000; // how long the first path may take
const AGAIN_MS = 4000; // how long a restart may take before the next one
const GIVE_UP_MS = 60000;

class Connection {
  #config; #signal; #onState; #stereo; #slots; #statistics; #sent;
  #out; // what we send
  #in = null; // what we watch
  #watched = null; // the server's number for it
  #receivers = {}; // kind -> RTCRtpReceiver
  #queues = {publish: [], watch: []}; // our candidates until the server knows the connection that they belong to
  #state = null;
  #since = 0;
  #timer = null;
  #work = Promise.resolve(); // negotiation, one step after the other
  #online = () => this.restart();

  constructor({config, signal, onTrack, onState, kit}) {
    this.#config = config;
    this.#signal = signal;
    this.#onState = onState;
    this.#stereo = kit.stereo;
    this.#slots = new kit.Slots({say: (message) => this.#say(message), onTrack});
    this.#statistics = new kit.Statistics();
    this.#sent = new kit.Statistics();
    this.#out = this.#connection("publish");
    signal.onmessage = (message) => this.#then(() => this.#heard(message));
    addEventListener("online", this.#online);
    this.#tell("connecting");
    this.#timer = setTimeout(() => this.restart(), FIRST_MS);
    for (const kind of config.kinds) this.#out.addTransceiver(kind === "audio" ? "audio" : "video", {direction: "sendonly"});
    this.#use();
    this.#then(() => this.#publish());
  }

  // -- what the room page calls ------------------------------------------------------------------------------

  publish(tracks) { return this.#slots.publish(tracks); }

  replaceTrack(kind, track) { return this.#slots.replaceTrack(kind, track); }

  prefer(kind, wish) { return this.#slots.prefer(kind, wish); }

  peerPresent(present) {
    if (present) this.#say({hello: true});
    return this.#slots.present(Boolean(present));
  }

  async statistics() {
    const ours = await this.#sent.of(this.#out);
    if (!this.#in) return ours;
    const {sendKbps, availableKbps, sendWidth, sendHeight, sendFps, limitation} = ours;
    const theirs = await this.#statistics.of(this.#in);
    return {...theirs, rttMs: theirs.rttMs ?? ours.rttMs, sendKbps, availableKbps, sendWidth, sendHeight, sendFps, limitation};
  }

  /** Find new paths to the server. */
  async restart() {
    if (this.#over) return;
    this.#lost();
    return this.#then(async () => {
      this.#out.restartIce();
      await this.#publish();
      if (this.#in) this.#say({again: true});
    });
  }

  close() {
    if (this.#state !== "closed") this.#finish("closed");
  }

  // -- negotiation -------------------------------------------------------------------------------------------

  get #over() { return this.#state === "closed" || this.#state === "failed"; }

  #then(step) {
    this.#work = this.#work.then(() => (this.#over ? null : step())).catch((error) => {
      if (this.#over) return;
      console.warn("video:", error.message);
      this.#lost();
    });
    return this.#work;
  }

  #connection(what) {
    const pc = new RTCPeerConnection({iceServers: this.#config.iceServers, bundlePolicy: "max-bundle"});
    pc.onicecandidate = ({candidate}) => {
      const message = {candidate: candidate && candidate.toJSON(), of: what};
      if (this.#queues[what]) this.#queues[what].push(message);
      else this.#say(message);
    };
    pc.onconnectionstatechange = () => { if (pc === this.#out || pc === this.#in) this.#changed(); };
    return pc;
  }

  #flush(what) {
    for (const message of this.#queues[what] || []) this.#say(message);
    this.#queues[what] = null;
  }

  async #publish() {
    const {type, sdp} = await this.#out.createOffer();
    await this.#out.setLocalDescription({type, sdp: this.#stereo(sdp)});
    this.#say({publish: this.#out.localDescription.sdp});
  }

  async #heard(message) {
    if (message.gone) return this.#finish("failed");
    if (message.hello) return this.#slots.attach(); // says what we send
    if (Array.isArray(message.sending)) this.#slots.sending(message.sending);
    if (message.answer && this.#out.signalingState === "have-local-offer") {
      await this.#out.setRemoteDescription({type: "answer", sdp: this.#stereo(message.answer)});
      this.#flush("publish");
      this.#changed();
    }
    if (message.offer) await this.#watch(message);
  }

  async #watch({offer, of, kinds}) {
    if (of !== this.#watched) {
      this.#in?.close();
      this.#queues.watch = [];
      this.#in = this.#connection("watch");
      this.#watched = of;
      this.#receivers = {};
    }
    await this.#in.setRemoteDescription({type: "offer", sdp: this.#stereo(offer)});
    const {type, sdp} = await this.#in.createAnswer();
    await this.#in.setLocalDescription({type, sdp: this.#stereo(sdp)});
    this.#say({answer: this.#in.localDescription.sdp});
    this.#flush("watch");
    for (const {mid, receiver} of this.#in.getTransceivers()) if (kinds[mid]) this.#receivers[kinds[mid]] = receiver;
    this.#use();
  }

  #use() {
    const {kinds} = this.#config;
    const senders = this.#out.getTransceivers().map(({sender}) => sender);
    this.#slots.use(Object.fromEntries(kinds.map((kind, index) =>
      [kind, {sender: senders[index], receiver: this.#receivers[kind]}])));
  }

  // -- the paths ---------------------------------------------------------------------------------------------

  #changed() {
    const states = [this.#out, this.#in].filter(Boolean).map(({connectionState}) => connectionState);
    if (this.#out.connectionState === "connected") this.#slots.ready();
    if (states.every((state) => state === "connected")) {
      clearTimeout(this.#timer);
      this.#since = 0;
      this.#tell("connected");
    } else if (states.includes("failed")) {
      this.restart();
    } else if (states.includes("disconnected")) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.restart(), DISCONNECTED_MS);
    }
  }

  #lost() {
    clearTimeout(this.#timer);
    this.#since ||= performance.now();
    if (performance.now() - this.#since > GIVE_UP_MS) return this.#finish("failed");
    this.#tell("reconnecting");
    this.#timer = setTimeout(() => this.restart(), AGAIN_MS);
  }

  // -- small things ------------------------------------------------------------------------------------------

  #say(message) {
    if (!this.#over) this.#signal.send(message);
  }

  #tell(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }

  #finish(state) {
    clearTimeout(this.#timer);
    removeEventListener("online", this.#online);
    this.#slots.close();
    this.#out.close();
    this.#in?.close();
    this.#tell(state);
  }
}

export async function connect(options) {
  return new Connection(options);
}
