// The device check before joining: what can be seen and heard, and whether the network will do.

import {measure, verdict} from "../network.js";

const LEVEL_MS = 250;
const LOUD = 0.01;
const TONES = {good: "success", tcp: "warning", fair: "warning", poor: "danger", blocked: "danger", unreachable: "danger"};

export function setUpCheck(room) {
  const {own, settings, devices, level} = room;
  let looking = null; // aborts the check of the network
  let listening = null;

  function line(name, key, tone) {
    const element = room.find(name);
    if (element.dataset.key === key) return;
    element.dataset.key = key;
    element.dataset.tone = tone;
    element.textContent = room.say(key);
  }

  // The worst of what is wrong, else whether anything is heard.
  function judge() {
    const {audio, video} = devices.trouble;
    if (audio === "blocked" && video === "blocked") line("verdict", "both_blocked", "danger");
    else if (audio) line("verdict", {blocked: "microphone_blocked", busy: "microphone_busy"}[audio] ?? "no_microphone", "danger");
    else if (video) line("verdict", {blocked: "camera_blocked", busy: "device_busy"}[video] ?? "no_camera", "warning");
    else if (devices.audio && level.loudest > LOUD) line("verdict", "ready", "success");
    else if (devices.audio) line("verdict", "speak", "info");
    room.find("retry").hidden = !audio && !video;
  }

  async function look() {
    room.find("join").disabled = true;
    await devices.start();
    room.find("join").disabled = false;
    judge();
  }

  async function network() {
    looking?.abort();
    looking = new AbortController();
    room.find("network-again").hidden = true;
    line("network", "network_checking", "info");
    try {
      const found = await measure(settings, looking.signal);
      const word = verdict(found);
      room.root.dataset.network = word;
      line("network", `network_${word}`, TONES[word]);
      room.find("network-again").hidden = word === "good";
    } catch {
      // joined meanwhile
    }
  }

  devices.addEventListener("change", () => { if (room.root.dataset.stage === "check") judge(); });
  room.find("retry").addEventListener("click", look);
  room.find("network-again").addEventListener("click", network);
  room.find("join").addEventListener("click", () => {
    looking?.abort();
    clearInterval(listening);
    own.camera = Boolean(devices.video);
    own.mic = Boolean(devices.audio);
    devices.enable("video", own.camera);
    devices.enable("audio", own.mic);
    room.stage("call");
    room.dispatchEvent(new Event("join"));
  });
  room.stage("check");
  listening = setInterval(judge, LEVEL_MS);
  look();
  network();
}
