// The ring tone, made by WebAudio: two notes, a pause.  Browsers allow it after the first click or key on the page.

let context = null;
let timer = null;

function note(frequency, at, seconds) {
  const tone = context.createOscillator(), loudness = context.createGain();
  tone.type = "triangle";
  tone.frequency.value = frequency;
  loudness.gain.setValueAtTime(0.0001, at);
  loudness.gain.exponentialRampToValueAtTime(0.35, at + 0.03);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
  tone.connect(loudness).connect(context.destination);
  tone.start(at);
  tone.stop(at + seconds);
}

function once() {
  const at = context.currentTime + 0.05;
  [659, 880, 659, 880].forEach((frequency, index) => note(frequency, at + index * 0.18, 0.17));
}

/** Try to get the sound ready; whether the browser lets us. */
export async function unlock() {
  context ??= new AudioContext();
  if (context.state === "suspended") await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 300))]);
  return context.state === "running";
}

/** Ring until stop(); whether it can be heard. */
export async function ring() {
  stop();
  const heard = await unlock().catch(() => false);
  if (!heard) return false;
  once();
  timer = setInterval(once, 2000);
  return true;
}

export function stop() {
  clearInterval(timer);
  timer = null;
}
