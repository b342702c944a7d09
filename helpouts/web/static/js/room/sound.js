// Small things with sound: how loud the microphone is, a few notes, and two sounds made one.

const LEVEL_MS = 100;

/** Shows how loud a track is on <meter> elements. */
export class Level {
  #bars; #context = null; #timer = null;

  constructor(bars) {
    this.#bars = bars;
    this.loudest = 0;
  }

  watch(track) {
    this.stop();
    if (!track) return;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 512;
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const level = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
      this.loudest = Math.max(this.loudest, level);
      for (const bar of this.#bars) bar.value = Math.min(1, level * 6);
    }, LEVEL_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#context?.close();
    this.#context = null;
    for (const bar of this.#bars) bar.value = 0;
  }
}

/** Notes (Hz), one after the other, through the speaker of that id. */
export async function play(notes, speaker = "") {
  const context = new AudioContext();
  if (speaker) await context.setSinkId?.(speaker).catch(() => {});
  let at = context.currentTime + 0.02;
  for (const [index, frequency] of notes.entries()) {
    const tone = context.createOscillator(), gain = context.createGain();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.15, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.5);
    at += 0.18;
    if (index === notes.length - 1) tone.onended = () => context.close();
  }
}

/**
 * Take the echo of the speaker of that id out of what the microphones hear.
 *
 * Chromium learns by itself which speaker an element plays through, but tells only the page whose connection brings the
 * sound; a context with a sinkId tells the page that it is made in, and all microphones opened later.
 */
export function cancelEcho(speaker) {
  if (!AudioContext.prototype.setSinkId) return;
  const context = new AudioContext({sinkId: speaker});
  context.resume().then(() => context.close());
}

/** The microphone and the sound of a shared screen as one track.  It is not played here: nothing echoes. */
export class Mixer {
  #context = new AudioContext(); #out; #voice = null;

  constructor(sound) {
    this.#out = new MediaStreamAudioDestinationNode(this.#context, {channelCount: 2});
    this.#context.createMediaStreamSource(new MediaStream([sound])).connect(this.#out);
  }

  get track() { return this.#out.stream.getAudioTracks()[0]; }

  /** Another microphone, or none. */
  voice(track) {
    this.#voice?.disconnect();
    this.#voice = track ? this.#context.createMediaStreamSource(new MediaStream([track])) : null;
    this.#voice?.connect(this.#out);
  }

  close() { this.#context.close(); }
}
