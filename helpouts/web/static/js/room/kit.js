// What transports over RTCPeerConnection have in common; the room page lends it to their modules as `kit`.

/**
 * The three slots of a call (microphone, camera, screen): our tracks on their way out, theirs on their way in.
 *
 * Slots are negotiated once, so that tracks come and go without another round.  Tracks are attached only while the
 * other side is there and ready: an empty room costs nobody battery or bandwidth.  Which of them the other side
 * shows, it says itself with {sending: [...]}.
 */
export class Slots {
  #say; #onTrack;
  #own = {audio: null, video: null, screen: null};
  #shown = {audio: null, video: null, screen: null};
  #slots = {}; // kind -> RTCRtpTransceiver
  #present = false;
  #ready = false;
  #closed = false;
  #theirs = null; // kinds that the other side says it shows; null while it has said nothing
  #attaching = Promise.resolve();

  constructor({say, onTrack}) {
    this.#say = say;
    this.#onTrack = onTrack;
  }

  /** These are the slots from now on, by kind. */
  use(slots) {
    this.#slots = slots;
    this.show();
    return this.attach();
  }

  get audio() { return this.#slots.audio; }

  publish({audio, video}) {
    this.#own.audio = audio || null;
    this.#own.video = video || null;
    return this.attach();
  }

  replaceTrack(kind, track) {
    if (!(kind in this.#own)) return Promise.reject(new TypeError(`unknown kind ${kind}`));
    this.#own[kind] = track || null;
    return this.attach();
  }

  /** Whether the other side is in the room; one that comes again says anew what it shows. */
  present(present) {
    this.#present = present;
    if (!present) {
      this.#theirs = null;
      this.#ready = false;
    }
    this.show();
    return this.attach();
  }

  /** What is sent from now on arrives; tells whether that is news. */
  ready() {
    if (this.#ready) return false;
    this.#ready = true;
    this.attach();
    return true;
  }

  /** The kinds that the other side says it sends. */
  sending(kinds) {
    this.#theirs = kinds;
    this.show();
  }

  // One after the other, each with what is wanted when its turn comes: replaceTrack takes effect later, and an
  // overtaken "stop sending" would leave a camera on.
  attach() {
    if (!this.#closed) this.#say({sending: Object.keys(this.#own).filter((kind) => this.#own[kind])});
    this.#attaching = this.#attaching.then(() => Promise.all(Object.entries(this.#slots).map(([kind, {sender}]) => {
      const track = this.#present && this.#ready && !this.#closed ? this.#own[kind] : null;
      return sender.track === track ? null : sender.replaceTrack(track);
    }))).catch((error) => { if (!this.#closed) console.warn("video:", error.message); });
    return this.#attaching;
  }

  show() {
    for (const kind of Object.keys(this.#shown)) {
      const receiver = this.#slots[kind]?.receiver;
      const shows = this.#theirs ? this.#theirs.includes(kind) : kind !== "screen";
      const track = receiver && this.#present && shows ? receiver.track : null;
      if (track !== this.#shown[kind]) {
        this.#shown[kind] = track;
        this.#onTrack(kind, track);
      }
    }
  }

  close() {
    this.#closed = true;
    this.#present = false;
    this.show();
  }
}

/** Figures of a call for people and tests, from RTCPeerConnection.getStats(); rates are since the reading before. */
export class Statistics {
  #last = null;

  async of(pc) {
    const report = [...(await pc.getStats()).values()];
    const all = (type, kind) => report.filter((entry) => entry.type === type && (!kind || entry.kind === kind));
    const sum = (entries, key) => entries.reduce((total, entry) => total + (entry[key] || 0), 0);
    const received = all("inbound-rtp"), sent = all("outbound-rtp");
    const now = {
      at: performance.now(),
      sent: sum(sent, "bytesSent"), received: sum(received, "bytesReceived"),
      packets: sum(received, "packetsReceived"), lost: sum(received, "packetsLost"),
    };
    const before = this.#last || {...now, at: now.at - 1};
    this.#last = now;
    const seconds = Math.max(now.at - before.at, 1) / 1000;
    const rate = (key) => Math.max(0, Math.round(((now[key] - before[key]) * 8) / 1000 / seconds));
    const lost = Math.max(0, now.lost - before.lost), packets = Math.max(0, now.packets - before.packets);
    const video = received.filter((entry) => entry.kind === "video")
      .reduce((best, entry) => ((entry.framesPerSecond || 0) > (best.framesPerSecond || 0) ? entry : best),
        all("inbound-rtp", "video").find((entry) => entry.framesDecoded) || {});
    const audio = all("inbound-rtp", "audio")[0] || {};
    // End to end where the other side reports, else to the relay only.
    const remote = all("remote-inbound-rtp").find((entry) => entry.roundTripTime !== undefined);
    const pair = all("candidate-pair").find((entry) => entry.nominated && entry.state === "succeeded") || {};
    const local = report.find((entry) => entry.id === pair.localCandidateId) || {};
    const rtt = remote ? remote.roundTripTime : pair.currentRoundTripTime;
    return {
      rttMs: rtt === undefined ? null : Math.round(rtt * 1000),
      lossPercent: lost + packets ? (100 * lost) / (lost + packets) : 0,
      sendKbps: rate("sent"),
      receiveKbps: rate("received"),
      frameWidth: video.frameWidth || 0,
      frameHeight: video.frameHeight || 0,
      fps: video.framesPerSecond || 0,
      jitterMs: Math.round(1000 * Math.max(video.jitter || 0, audio.jitter || 0)),
      limitation: (sent.find((entry) => (entry.qualityLimitationReason || "none") !== "none") || {})
        .qualityLimitationReason || "none",
      framesDecoded: sum(all("inbound-rtp", "video"), "framesDecoded"),
      totalAudioEnergy: audio.totalAudioEnergy || 0,
      path: local.candidateType || "",
    };
  }
}
