// How good the connection is: the sign, the figures for the curious, a word when the picture suffers, and what the
// operator sees.

import {Steady, score} from "../quality.js";

const VOICE_BITS = 40_000, MUSIC_BITS = 160_000;
const TOLD_EVERY = 3; // readings
const SLOW_AFTER = 3; // readings
const WARM_UP = 4; // readings after the other side has come, until the rates have settled
const WIDE = 640; // a camera picture narrower than that is one that has been made smaller

export function setUpQuality(room) {
  const {root, call, devices, own, media} = room;
  const steady = new Steady();
  let readings = 0, settled = 0, slow = 0, dismissed = false, here = false, theirs = {};

  // Sound goes first when there is not room for both.
  function prefer() {
    call.prefer("audio", {maxBitrate: devices.music ? MUSIC_BITS : VOICE_BITS, priority: "high"});
    call.prefer("video", {priority: "low"});
    call.prefer("screen", {priority: "medium"});
  }
  room.addEventListener("join", prefer);
  devices.addEventListener("change", ({detail: {kind}}) => { if (kind === "audio") prefer(); });

  room.addEventListener("peer", ({detail}) => { here = detail.present; slow = settled = 0; });
  room.addEventListener("peerstate", ({detail}) => { theirs = detail; });

  call.addEventListener("figures", ({detail: figures}) => {
    const broken = root.dataset.media !== "connected";
    const word = !here ? "good" : broken ? "lost" : score(figures, {
      expected: theirs.mic !== false || theirs.camera !== false, pictures: root.dataset.peerCamera === "true" && media.pictures,
    });
    const shown = steady.next(word);
    show(shown);
    if (root.dataset.panel === "figures") list(figures, shown);
    judge(figures, shown);
    if (here && readings++ % TOLD_EVERY === 0) report(figures, shown);
  });

  function show(word) {
    const sign = room.find("quality");
    if (sign.dataset.quality === word) return;
    sign.dataset.quality = word;
    sign.querySelector("[data-quality-text]").textContent = room.say(`quality_${word}`);
  }

  // The picture gives way to the sound by itself; people are told, and may do without it.
  function judge(figures, word) {
    const sends = own.camera && media.pictures && here;
    const small = figures.limitation === "bandwidth" && figures.sendWidth < WIDE;
    const starving = sends && figures.availableKbps !== null && figures.availableKbps < 250;
    slow = settled++ >= WARM_UP && sends && (small || starving || word === "poor") ? slow + 1 : Math.max(0, slow - 0.5);
    if (slow === 0) dismissed = false;
    const notice = room.find("slow");
    const wanted = slow >= SLOW_AFTER && !dismissed && !own.sound_only && !theirs.sound_only;
    if (!notice.hidden && slow >= 1 && !dismissed && !own.sound_only) return; // not to and fro
    notice.hidden = !wanted;
    if (wanted) room.find("slow-text").textContent = room.say(small || starving ? "slow_smaller" : "slow_poor");
  }
  room.action("slow-dismiss", () => { dismissed = true; room.find("slow").hidden = true; });
  room.addEventListener("changed", () => { if (own.sound_only) room.find("slow").hidden = true; });

  function report(figures, verdict) {
    room.send({type: "quality", ...figures, quality: verdict, path: figures.protocol === "tcp" ? "tcp" : figures.path});
  }

  function list(figures, word) {
    const size = (width, height, fps) => (width ? `${width} × ${height}, ${Math.round(fps)}/s` : "–");
    const values = {
      verdict: room.say(`quality_${word}`), rtt: figures.rttMs === null ? "–" : `${figures.rttMs} ms`,
      loss: `${figures.lossPercent.toLocaleString(room.settings.locale, {maximumFractionDigits: 1})} %`, jitter: `${figures.jitterMs} ms`,
      receives: `${figures.receiveKbps} kb/s`, sends: `${figures.sendKbps} kb/s`,
      available: figures.availableKbps === null ? "–" : `${figures.availableKbps} kb/s`,
      theirs: size(figures.frameWidth, figures.frameHeight, figures.fps),
      ours: size(figures.sendWidth, figures.sendHeight, figures.sendFps),
      limitation: room.say(`limitation_${figures.limitation}`),
      path: [figures.protocol.toUpperCase(), figures.path].filter(Boolean).join(", ") || "–",
    };
    for (const [name, value] of Object.entries(values)) room.find(`figure-${name}`).textContent = value;
  }
  room.action("figures", () => room.toggle("figures"));
}
