// Camera, microphone and speaker: the check before joining, and changing them during the call.

const AUDIO = {echoCancellation: true, noiseSuppression: true, autoGainControl: true};
const VIDEO = {width: {ideal: 1280}, height: {ideal: 720}, frameRate: {ideal: 30}};

export class Devices {
  #root; #texts; #stream = null; #context = null; #meterTimer = null; #loudest = 0;

  constructor(root, texts, {facing}) {
    this.#root = root;
    this.#texts = texts;
    this.facing = facing;
    for (const select of root.querySelectorAll("[data-select]")) {
      select.addEventListener("change", () => this.#choose(select.dataset.select, select.value));
    }
  }

  get audio() { return this.#stream?.getAudioTracks()[0] ?? null; }
  /** How many cameras there are to choose from, as far as the browser tells. */
  get cameras() { return this.#root.querySelector('[data-select="camera"]').options.length; }

  get video() { return this.#stream?.getVideoTracks()[0] ?? null; }

  /** Ask for camera and microphone; sound only where there is no camera; a verdict in plain words. */
  async start() {
    try {
      this.#stream = await this.#ask({audio: AUDIO, video: {...VIDEO, facingMode: this.facing}});
    } catch (error) {
      try {
        this.#stream = await this.#ask({audio: AUDIO});
        this.#verdict(error.name === "NotAllowedError" ? "camera_blocked" : error.name === "NotReadableError" ? "device_busy" : "no_camera", "warning");
      } catch (worse) {
        this.#verdict(worse.name === "NotAllowedError" ? "microphone_blocked" : "no_microphone", "danger");
        return false;
      }
    }
    this.#preview();
    await this.#list();
    this.#listen();
    return true;
  }

  #ask(constraints) {
    if (!navigator.mediaDevices) throw new DOMException("no devices here", "NotFoundError");
    return navigator.mediaDevices.getUserMedia(constraints);
  }

  #preview() {
    for (const view of document.querySelectorAll("[data-preview], [data-self]")) view.srcObject = this.#stream;
  }

  async #list() {
    const kinds = {camera: "videoinput", microphone: "audioinput", speaker: "audiooutput"};
    const found = await navigator.mediaDevices.enumerateDevices();
    for (const select of this.#root.querySelectorAll("[data-select]")) {
      const devices = found.filter((device) => device.kind === kinds[select.dataset.select] && device.deviceId);
      const track = {camera: this.video, microphone: this.audio}[select.dataset.select];
      select.replaceChildren(...devices.map((device) => new Option(device.label || select.dataset.select, device.deviceId)));
      if (track) select.value = track.getSettings().deviceId;
      select.closest("[data-device-row]").hidden = devices.length < 1;
    }
  }

  async #choose(kind, deviceId) {
    if (kind === "speaker") {
      for (const element of document.querySelectorAll("[data-remote]")) await element.setSinkId?.(deviceId);
      return;
    }
    const constraint = kind === "camera" ? {video: {...VIDEO, deviceId: {exact: deviceId}}} : {audio: {...AUDIO, deviceId: {exact: deviceId}}};
    const old = kind === "camera" ? this.video : this.audio;
    try {
      const fresh = (await this.#ask(constraint)).getTracks()[0];
      fresh.enabled = old ? old.enabled : true;
      if (old) { this.#stream.removeTrack(old); old.stop(); }
      this.#stream.addTrack(fresh);
      this.#preview();
      this.#listen();
      this.onchange?.(kind === "camera" ? "video" : "audio", fresh);
    } catch {
      this.#verdict(kind === "camera" ? "device_busy" : "no_microphone", "warning");
    }
  }

  /** Front to back camera and the other way, on a phone. */
  async flip() {
    this.facing = this.facing === "environment" ? "user" : "environment";
    const fresh = (await this.#ask({video: {...VIDEO, facingMode: this.facing}})).getVideoTracks()[0];
    const old = this.video;
    if (old) { this.#stream.removeTrack(old); old.stop(); }
    this.#stream.addTrack(fresh);
    this.#preview();
    this.onchange?.("video", fresh);
  }

  #listen() {
    clearInterval(this.#meterTimer);
    if (!this.audio) return;
    this.#context ??= new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 512;
    this.#context.createMediaStreamSource(new MediaStream([this.audio])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const bar = this.#root.querySelector("[data-level]");
    this.#meterTimer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const level = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
      this.#loudest = Math.max(this.#loudest, level);
      bar.value = Math.min(1, level * 6);
      if (this.video && this.#loudest > 0.01) this.#verdict("ready", "success");
      else if (this.video) this.#verdict("speak", "info");
    }, 120);
  }

  /** The check is over: stop the level meter. */
  settle() {
    clearInterval(this.#meterTimer);
    this.#context?.close();
    this.#context = null;
  }

  /** A short tone, to try the speaker. */
  beep() {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const gain = context.createGain();
    gain.gain.setValueAtTime(0.15, context.currentTime);
    gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.9);
    tone.frequency.value = 660;
    tone.connect(gain).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.9);
    tone.onended = () => context.close();
  }

  #verdict(key, tone) {
    const line = this.#root.querySelector("[data-verdict]");
    if (line.dataset.key === key) return;
    line.dataset.key = key;
    line.dataset.tone = tone;
    line.textContent = this.#texts[key];
  }

  stop() {
    this.settle();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
  }
}
