// The network check of transports that can lead a connection back to its sender: a busy picture goes out, and what
// comes back tells how good the network is.  The page lends it to their modules as `kit.loopBack`.

const CONNECT_MS = 8000;
const SETTLE_MS = 2000; // until the sender has found the rate of the path
const MEASURE_MS = 2500;
const STEP_MS = 500;
const WIDTH = 320, HEIGHT = 240;
const MOST_BITS = 1_500_000; // a second: more than a good picture needs
export const NOTHING = {path: null, rttMs: null, lossPercent: 100, kbps: 0};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);

// A small picture that no encoder can make smaller: it fills the network, and a slow machine keeps up with it.
function noise() {
  const canvas = Object.assign(document.createElement("canvas"), {width: WIDTH, height: HEIGHT});
  const tile = Object.assign(document.createElement("canvas"), {width: 128, height: 128});
  const data = tile.getContext("2d").createImageData(128, 128);
  crypto.getRandomValues(data.data);
  for (let at = 3; at < data.data.length; at += 4) data.data[at] = 255;
  tile.getContext("2d").putImageData(data, 0, 0);
  const context = canvas.getContext("2d");
  const timer = setInterval(() => {
    const size = 96 + 64 * Math.random();
    for (let x = -size * Math.random(); x < WIDTH; x += size) {
      for (let y = -size * Math.random(); y < HEIGHT; y += size) context.drawImage(tile, x, y, size, size);
    }
  }, 50);
  const track = canvas.captureStream(20).getVideoTracks()[0];
  return {track, stop: () => { clearInterval(timer); track.stop(); }};
}

/**
 * Send a busy picture through connections that lead back, and say what comes of it.
 *
 * @param open ({onState}) => {sending, receiving}: two connections of the transport's, or twice the same
 * @param abort an AbortSignal
 * @returns {Promise<{path, rttMs, lossPercent, kbps}>} as `check` in helpouts/sessions/transport.py
 */
export async function loopBack(open, {abort}) {
  const picture = noise();
  let onState;
  const stands = new Promise((resolve) => { onState = (state) => { if (state !== "connecting") resolve(state === "connected"); }; });
  const aborted = new Promise((_resolve, reject) => abort?.addEventListener("abort", () => reject(abort.reason)));
  aborted.catch(() => {}); // also when nobody waits any more
  const step = (promise) => { abort?.throwIfAborted(); return Promise.race([promise, aborted]); };
  let ends = {};
  try {
    ends = await step(open({onState}));
    for (const end of new Set(Object.values(ends))) end.peerPresent(true);
    ends.sending.prefer("video", {maxBitrate: MOST_BITS});
    ends.sending.publish({audio: null, video: picture.track});
    if (!await step(Promise.race([stands, sleep(CONNECT_MS)]))) return NOTHING;
    await step(sleep(SETTLE_MS));
    const readings = [];
    await ends.receiving.statistics();
    for (let time = 0; time < MEASURE_MS; time += STEP_MS) {
      await step(sleep(STEP_MS));
      readings.push(await ends.receiving.statistics());
    }
    const rtts = readings.map(({rttMs}) => rttMs).filter((rtt) => rtt !== null).sort((a, b) => a - b);
    return {
      path: readings.at(-1).protocol || "udp",
      rttMs: rtts.length ? rtts[rtts.length >> 1] : null,
      lossPercent: mean(readings.map(({lossPercent}) => lossPercent)),
      kbps: Math.round(mean(readings.map(({receiveKbps}) => receiveKbps))),
    };
  } finally {
    picture.stop();
    for (const end of new Set(Object.values(ends))) end.close();
  }
}
