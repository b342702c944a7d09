// Camera, microphone and speaker: taken, chosen, lost and found again.  Nothing here knows the page.

const VOICE = {echoCancellation: true, noiseSuppression: true, autoGainControl: true};
const MUSIC = {echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: {ideal: 2}};
const PICTURE = {width: {ideal: 1280}, height: {ideal: 720}, frameRate: {ideal: 30}};
const KINDS = {camera: "videoinput", microphone: "audioinput", speaker: "audiooutput"};
const TROUBLES = {NotAllowedError: "blocked", NotReadableError: "busy", AbortError: "busy"};

/**
 * Events: "change" {kind, track} (kind "audio" or "video", track null when there is none), "list",
 * "lost" {kind, next} (its device was pulled out; next is the label of the one taken instead, or null),
 * "found" {kind, label} (a new one was plugged in), "speaker" (its id).
 */
export class Devices extends EventTarget {
  #tracks = {audio: null, video: null};
  #enabled = {audio: true, video: true};
  #known = [];
  #music = false;
  #recovering = new Set();

  constructor({facing}) {
    super();
    this.facing = facing;
    this.trouble = {audio: null, video: null}; // "blocked", "busy" or "none"; null where all is well
    this.speaker = "";
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#plugged());
  }

  get audio() { return this.#tracks.audio; }
  get video() { return this.#tracks.video; }
  get music() { return this.#music; }

  /** The devices of a kind ("camera", "microphone", "speaker"), as far as the browser tells. */
  all(kind) { return this.#known.filter((device) => device.kind === KINDS[kind] && device.deviceId); }

  /** The one in use. */
  chosen(kind) {
    if (kind === "speaker") return this.speaker || this.all(kind)[0]?.deviceId;
    return this.#tracks[kind === "camera" ? "video" : "audio"]?.getSettings().deviceId;
  }

  /** Ask for camera and microphone, one by one when both are not to be had. */
  async start() {
    if (!await this.#take(["audio", "video"])) for (const kind of ["audio", "video"]) await this.#take([kind]);
    await this.#list();
  }

  /** Use another one; says whether it could be had (else the one before goes on). */
  async choose(kind, deviceId) {
    if (kind === "speaker") {
      this.speaker = deviceId;
      this.#tell("speaker", deviceId);
      return true;
    }
    const of = kind === "camera" ? "video" : "audio";
    return this.#switch(of, {deviceId: {exact: deviceId}});
  }

  /** Front to back camera and the other way, on a phone. */
  async flip() {
    const facing = this.facing === "environment" ? "user" : "environment";
    if (await this.#switch("video", {facingMode: facing})) this.facing = facing;
  }

  /** Sound as it is, in stereo, without what helps voices. */
  async setMusic(on) {
    this.#music = on;
    await this.#switch("audio", {deviceId: this.chosen("microphone")});
  }

  enable(kind, on) {
    this.#enabled[kind] = on;
    if (this.#tracks[kind]) this.#tracks[kind].enabled = on;
  }

  stop() {
    for (const track of Object.values(this.#tracks)) track?.stop();
  }

  // A phone has one camera open at a time: the old one goes first, and comes back when the new one is not to be had.
  async #switch(kind, wish) {
    const before = this.#tracks[kind]?.getSettings().deviceId;
    if (kind === "video") this.#tracks.video?.stop();
    const done = await this.#take([kind], wish);
    if (!done && before) await this.#take([kind], {deviceId: before});
    await this.#list();
    return done;
  }

  async #take(kinds, wish = {}) {
    const constraints = {
      audio: kinds.includes("audio") && {...(this.#music ? MUSIC : VOICE), ...wish},
      video: kinds.includes("video") && {...PICTURE, ...("deviceId" in wish ? {} : {facingMode: this.facing}), ...wish},
    };
    try {
      if (!navigator.mediaDevices) throw new DOMException("no devices here", "NotFoundError");
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      for (const track of stream.getTracks()) this.#adopt(track);
      return true;
    } catch (error) {
      for (const kind of kinds) {
        this.trouble[kind] = TROUBLES[error.name] ?? "none";
        if (this.#tracks[kind]?.readyState === "ended") this.#drop(kind);
      }
      return false;
    }
  }

  #adopt(track) {
    const {kind} = track;
    this.#tracks[kind]?.stop();
    this.#tracks[kind] = track;
    this.trouble[kind] = null;
    track.enabled = this.#enabled[kind];
    track.contentHint = kind === "video" ? "motion" : this.#music ? "music" : "speech";
    track.addEventListener("ended", () => { if (this.#tracks[kind] === track) this.#lost(kind); });
    this.#tell("change", {kind, track});
  }

  #drop(kind) {
    this.#tracks[kind] = null;
    this.#tell("change", {kind, track: null});
  }

  // Pulled out, or taken away by the browser: the next one is as good as none would be bad.
  async #lost(kind) {
    if (this.#recovering.has(kind)) return;
    this.#recovering.add(kind);
    const found = await this.#take([kind]);
    if (!found) this.#drop(kind);
    this.#recovering.delete(kind);
    this.#tell("lost", {kind, next: found ? this.#tracks[kind].label : null});
    await this.#list();
  }

  async #plugged() {
    const before = new Set(this.#known.map(({kind, deviceId}) => kind + deviceId));
    await this.#list();
    for (const {kind, deviceId, label} of this.#known) {
      if (before.has(kind + deviceId) || !deviceId || ["default", "communications"].includes(deviceId)) continue;
      this.#tell("found", {kind: kind.replace(/input|output/, ""), output: kind === "audiooutput", label});
    }
    for (const kind of ["audio", "video"]) {
      const there = this.#known.filter((device) => device.kind === `${kind}input`);
      const track = this.#tracks[kind];
      if (!track && there.length && this.trouble[kind] !== "blocked") await this.#take([kind]);
      else if (track && !there.some(({deviceId}) => deviceId === track.getSettings().deviceId)) await this.#lost(kind);
    }
  }

  async #list() {
    this.#known = await navigator.mediaDevices?.enumerateDevices() ?? [];
    this.#tell("list");
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, {detail}));
  }
}
