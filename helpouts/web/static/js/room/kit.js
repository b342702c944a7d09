// What transports over RTCPeerConnection have in common; the room page lends it to their modules as `kit`.

export {loopBack} from "./probe.js";
export {roaming} from "./roaming.js";

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
  #wishes = {}; // kind -> how it is to be sent
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
    for (const kind of Object.keys(this.#wishes)) this.#tune(kind);
    this.show();
    return this.attach();
  }

  /** How a kind is to be sent from now on: at most maxBitrate bits a second (undefined: any), before others or after. */
  prefer(kind, wish) {
    this.#wishes[kind] = wish;
    return this.#tune(kind);
  }

  async #tune(kind) {
    const sender = this.#slots[kind]?.sender, parameters = sender?.getParameters?.();
    if (!parameters?.encodings?.length) return;
    const {maxBitrate, priority = "medium"} = this.#wishes[kind];
    const encoding = parameters.encodings[0];
    Object.assign(encoding, {priority, networkPriority: priority, maxBitrate});
    if (!maxBitrate) delete encoding.maxBitrate;
    await sender.setParameters(parameters).catch((error) => { if (!this.#closed) console.warn("video:", error.message); });
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

/** A description in which Opus is stereo, both ways: browsers send what the other side's description allows. */
export const stereo = (sdp) => sdp.replace(/^a=rtpmap:(\d+) opus\/.*\r?\n/gim, (line, payload) => {
  const format = new RegExp(`^a=fmtp:${payload} `, "m");
  return format.test(sdp) ? line : `${line}a=fmtp:${payload} stereo=1\r\n`;
}).replace(/^(a=fmtp:\d+ )(?=.*\b(?:minptime|useinbandfec)=)(?!.*\bstereo=)/gm, "$1stereo=1;");

const NO_FIGURES = {
  rttMs: null, lossPercent: 0, sendKbps: 0, receiveKbps: 0, availableKbps: null, frameWidth: 0, frameHeight: 0, fps: 0,
  sendWidth: 0, sendHeight: 0, sendFps: 0, jitterMs: 0, freezes: 0, limitation: "none", framesDecoded: 0,
  totalAudioEnergy: 0, path: "", protocol: "",
};

/** Figures of a call for people and tests, from RTCPeerConnection.getStats(); rates are since the reading before. */
export class Statistics {
  #last = null;

  /** The same fields, while there is no connection. */
  static none() { return {...NO_FIGURES}; }

  async of(pc) {
    const report = [...(await pc.getStats()).values()];
    const all = (type, kind) => report.filter((entry) => entry.type === type && (!kind || entry.kind === kind));
    const sum = (entries, key) => entries.reduce((total, entry) => total + (entry[key] || 0), 0);
    const liveliest = (entries) => entries.reduce((best, entry) =>
      ((entry.framesPerSecond || 0) > (best.framesPerSecond || 0) ? entry : best), {});
    const received = all("inbound-rtp"), sent = all("outbound-rtp");
    const pictures = all("inbound-rtp", "video");
    const now = {
      at: performance.now(),
      sent: sum(sent, "bytesSent"), received: sum(received, "bytesReceived"),
      packets: sum(received, "packetsReceived"), lost: sum(received, "packetsLost"), freezes: sum(pictures, "freezeCount"),
    };
    const before = this.#last || {...now, at: now.at - 1};
    this.#last = now;
    const seconds = Math.max(now.at - before.at, 1) / 1000;
    const since = (key) => Math.max(0, now[key] - before[key]);
    const rate = (key) => Math.round((since(key) * 8) / 1000 / seconds);
    const lost = since("lost"), packets = since("packets");
    const video = {...pictures.find((entry) => entry.framesDecoded), ...liveliest(pictures)};
    const own = liveliest(all("outbound-rtp", "video"));
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
      availableKbps: pair.availableOutgoingBitrate ? Math.round(pair.availableOutgoingBitrate / 1000) : null,
      frameWidth: video.frameWidth || 0,
      frameHeight: video.frameHeight || 0,
      fps: video.framesPerSecond || 0,
      sendWidth: own.frameWidth || 0,
      sendHeight: own.frameHeight || 0,
      sendFps: own.framesPerSecond || 0,
      jitterMs: Math.round(1000 * Math.max(video.jitter || 0, audio.jitter || 0)),
      freezes: since("freezes"),
      limitation: (sent.find((entry) => (entry.qualityLimitationReason || "none") !== "none") || {})
        .qualityLimitationReason || "none",
      framesDecoded: sum(pictures, "framesDecoded"),
      totalAudioEnergy: audio.totalAudioEnergy || 0,
      path: local.candidateType || "",
      protocol: local.relayProtocol || local.protocol || "",
    };
  }
}
