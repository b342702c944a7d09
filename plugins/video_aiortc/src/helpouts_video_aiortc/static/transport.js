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
const RETRY_MS = [0, 500, 1000, 2000, 4000, 5000];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const jittered = (ms) => ms * (0.75 + Math.random() / 2);

/** The server has said a final no; anything else is worth another attempt. */
class Refused extends Error {}

class Connection {
  #config; #signal; #onTrack; #onState;
  #pc; #location = null; #etag = null;
  #state = null;
  #own = {audio: null, video: null, screen: null};
  #present = false;
  #ready = false; // the other side's connection stands: what is sent earlier is lost
  #readyTimer = null;
  #theirs = null; // kinds that the other side says it shows; null while it has said nothing
  #shown = {audio: null, video: null, screen: null};
  #slots = {}; // kind -> RTCRtpTransceiver
  #attaching = Promise.resolve();
  #restarting = null;
  #timer = null;
  #last = null; // the statistics before, for rates
  #online = () => { if (this.#location && this.#state !== "connecting") this.restart(); };
  #pagehide = () => this.#leave();

  constructor({config, signal, onTrack, onState}) {
    this.#config = config;
    this.#signal = signal;
    this.#onTrack = onTrack;
    this.#onState = onState;
    this.#pc = new RTCPeerConnection({iceServers: config.iceServers || [], bundlePolicy: "max-bundle"});
    this.#pc.onconnectionstatechange = () => this.#connectionChanged();
    signal.onmessage = (message) => this.#heard(message);
    addEventListener("online", this.#online);
    addEventListener("pagehide", this.#pagehide);
    this.#tell("connecting");
    this.#join();
  }

  // -- what the room page calls ------------------------------------------------------------------------------

  publish({audio, video}) {
    this.#own.audio = audio || null;
    this.#own.video = video || null;
    return this.#attach();
  }

  replaceTrack(kind, track) {
    if (!(kind in this.#own)) return Promise.reject(new TypeError(`unknown kind ${kind}`));
    this.#own[kind] = track || null;
    return this.#attach();
  }

  peerPresent(present) {
    this.#present = Boolean(present);
    clearTimeout(this.#readyTimer);
    if (this.#present) {
      this.#say({hello: true});
      this.#readyTimer = setTimeout(() => this.#heard({ready: true}), READY_MS);
    } else {
      this.#theirs = null;
      this.#ready = false;
    }
    this.#show();
    return this.#attach();
  }

  async statistics() {
    const report = [...(await this.#pc.getStats()).values()];
    const of = (type, kind) => report.filter((entry) => entry.type === type && (!kind || entry.kind === kind));
    const sum = (entries, key) => entries.reduce((total, entry) => total + (entry[key] || 0), 0);
    const received = of("inbound-rtp"), sent = of("outbound-rtp");
    const now = {
      at: performance.now(),
      sent: sum(sent, "bytesSent"), received: sum(received, "bytesReceived"),
      packets: sum(received, "packetsReceived"), lost: sum(received, "packetsLost"),
    };
    const before = this.#last || {...now, at: now.at - 1};
    this.#last = now;
    const seconds = Math.max(now.at - before.at, 1) / 1000;
    const lost = Math.max(0, now.lost - before.lost), packets = Math.max(0, now.packets - before.packets);
    const video = received.filter((entry) => entry.kind === "video")
      .reduce((best, entry) => ((entry.framesPerSecond || 0) > (best.framesPerSecond || 0) ? entry : best),
        of("inbound-rtp", "video").find((entry) => entry.framesDecoded) || {});
    const audio = of("inbound-rtp", "audio")[0] || {};
    // End to end where the other side reports, else to the relay only.
    const remote = of("remote-inbound-rtp").find((entry) => entry.roundTripTime !== undefined);
    const pair = of("candidate-pair").find((entry) => entry.nominated && entry.state === "succeeded") || {};
    const rtt = remote ? remote.roundTripTime : pair.currentRoundTripTime;
    return {
      rttMs: rtt === undefined ? null : Math.round(rtt * 1000),
      lossPercent: lost + packets ? (100 * lost) / (lost + packets) : 0,
      sendKbps: Math.round(((now.sent - before.sent) * 8) / 1000 / seconds),
      receiveKbps: Math.round(((now.received - before.received) * 8) / 1000 / seconds),
      frameWidth: video.frameWidth || 0,
      frameHeight: video.frameHeight || 0,
      fps: video.framesPerSecond || 0,
      jitterMs: Math.round(1000 * Math.max(video.jitter || 0, audio.jitter || 0)),
      limitation: (sent.find((entry) => (entry.qualityLimitationReason || "none") !== "none") || {})
        .qualityLimitationReason || "none",
      framesDecoded: sum(of("inbound-rtp", "video"), "framesDecoded"),
      totalAudioEnergy: audio.totalAudioEnergy || 0,
    };
  }

  restart() {
    if (this.#over || (!this.#location && this.#state === "connecting")) return Promise.resolve();
    if (!this.#location) return Promise.resolve(this.#finish("failed")); // left with the page, which came back
    this.#restarting = this.#restarting || this.#restart().finally(() => { this.#restarting = null; });
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
      const response = await this.#insist(() => fetch(this.#config.url, {
        method: "POST", headers: {Authorization: `Bearer ${this.#config.token}`},
      }), 50000);
      this.#location = new URL(response.headers.get("Location"), this.#config.url).href;
      if (this.#over) return this.#leave();
      await this.#negotiate(response);
      this.#watchGoodbye();
      this.#say({hello: true});
      this.#show();
      await this.#attach();
    } catch (error) {
      if (!this.#over) this.#finish("failed", error);
    }
  }

  async #negotiate(response) {
    this.#etag = response.headers.get("ETag");
    await this.#pc.setRemoteDescription({type: "offer", sdp: await response.text()});
    for (const transceiver of this.#pc.getTransceivers()) {
      const kind = KIND_OF_MID[transceiver.mid];
      if (!kind) continue;
      transceiver.direction = "sendrecv";
      this.#slots[kind] = transceiver;
    }
    await this.#pc.setLocalDescription();
    const sdp = this.#pc.localDescription.sdp;
    await this.#insist(() => fetch(this.#location, {
      method: "PATCH", headers: {"Content-Type": "application/sdp", "If-Match": this.#etag}, body: sdp,
    }), 20000);
  }

  // Ask until there is an answer that asking again would not change.
  async #insist(request, patience) {
    const end = performance.now() + patience;
    for (let attempt = 0; ; attempt += 1) {
      let wait = jittered(RETRY_MS[Math.min(attempt + 1, RETRY_MS.length - 1)]);
      try {
        const response = await request();
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

  async #restart() {
    const end = performance.now() + GIVE_UP_MS;
    this.#tell("reconnecting");
    for (let attempt = 0; !this.#over; attempt += 1) {
      try {
        await sleep(attempt ? jittered(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]) : 0);
        const response = await this.#insist(() => fetch(`${this.#location}/restart`, {method: "POST"}), ATTEMPT_MS);
        await this.#negotiate(response);
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

  #connectionChanged() {
    clearTimeout(this.#timer);
    const state = this.#pc.connectionState;
    if (state === "connected") {
      if (!this.#restarting) this.#tell("connected");
    } else if (state === "disconnected") {
      this.#timer = setTimeout(() => this.restart(), DISCONNECTED_MS);
    } else if (state === "failed") {
      this.restart();
    }
  }

  // The relay says goodbye when it drops us (DTLS close_notify): asking for a restart tells whether it is final.
  #watchGoodbye() {
    const transport = this.#slots.audio && this.#slots.audio.sender.transport;
    if (transport) transport.onstatechange = () => { if (transport.state === "closed") this.restart(); };
  }

  // -- tracks ------------------------------------------------------------------------------------------------

  // One after the other, each with what is wanted when its turn comes: replaceTrack takes effect later, and an
  // overtaken "stop sending" would leave a camera on.
  #attach() {
    this.#say({sending: Object.keys(this.#own).filter((kind) => this.#own[kind])});
    this.#attaching = this.#attaching.then(() => Promise.all(Object.entries(this.#slots).map(([kind, {sender}]) => {
      const track = this.#present && this.#ready && !this.#over ? this.#own[kind] : null;
      return sender.track === track ? null : sender.replaceTrack(track);
    }))).catch((error) => { if (!this.#over) console.warn("video:", error.message); });
    return this.#attaching;
  }

  #show() {
    for (const [kind, {receiver}] of Object.entries(this.#slots)) {
      const shows = this.#theirs ? this.#theirs.includes(kind) : kind !== "screen";
      const track = this.#present && shows ? receiver.track : null;
      if (track !== this.#shown[kind]) {
        this.#shown[kind] = track;
        this.#onTrack(kind, track);
      }
    }
  }

  #heard(message) {
    if (!message || this.#over) return;
    if (message.ready && !this.#ready) {
      this.#ready = true;
      this.#attach();
    }
    if (Array.isArray(message.sending)) {
      this.#theirs = message.sending;
      this.#show();
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
    removeEventListener("online", this.#online);
    removeEventListener("pagehide", this.#pagehide);
    this.#present = false;
    this.#show();
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
