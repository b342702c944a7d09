// Choosing devices, in the check and in the panel "Devices"; what is told when one goes or comes.

import {Devices} from "../devices.js";
import {Level, cancelEcho, play} from "../sound.js";

export const TEST_NOTES = [523, 659, 784];

export function setUpDevices(room) {
  const {root, settings, own} = room;
  const devices = room.devices = new Devices({facing: settings.facing});
  const level = room.level = new Level(root.querySelectorAll("[data-level]"));
  const selects = [...root.querySelectorAll("[data-select]")];

  for (const select of selects) {
    select.addEventListener("change", async () => {
      const kind = select.dataset.select;
      if (!await devices.choose(kind, select.value)) room.status(kind === "camera" ? "device_busy" : "microphone_busy", "warning");
    });
  }
  for (const button of root.querySelectorAll("[data-beep]")) {
    button.addEventListener("click", () => play(TEST_NOTES, devices.speaker));
  }

  devices.addEventListener("list", () => {
    for (const select of selects) {
      const kind = select.dataset.select, found = devices.all(kind);
      select.replaceChildren(...found.map(({label, deviceId}) => new Option(label || kind, deviceId)));
      select.value = devices.chosen(kind) ?? "";
      select.closest("[data-device-row]").hidden = !found.length;
    }
    room.dispatchEvent(new Event("changed"));
  });
  devices.addEventListener("change", ({detail: {kind}}) => {
    const stream = devices.video && new MediaStream([devices.video]);
    if (kind === "video") for (const view of root.querySelectorAll("[data-preview], [data-self]")) view.srcObject = stream;
    if (kind === "audio") meter();
    if (root.dataset.stage !== "call" || devices[kind]) return;
    own[kind === "audio" ? "mic" : "camera"] = false; // one that comes back is as quiet as the button says
    devices.enable(kind, false);
  });
  devices.addEventListener("speaker", ({detail}) => {
    room.remote.setSinkId?.(detail).catch(() => room.status("no_speaker", "warning"));
    cancelEcho(detail);
  });
  devices.addEventListener("lost", ({detail: {kind, next}}) => {
    const what = kind === "audio" ? "microphone" : "camera";
    room.status(next ? `${what}_replaced` : `${what}_gone`, "warning", {device: next});
    room.changed();
  });
  devices.addEventListener("found", ({detail: {kind, output, label}}) => {
    if (root.dataset.stage === "call" && label) room.status(output || kind === "audio" ? "sound_found" : "camera_found", "info", {device: label});
  });

  // The level costs something: it is measured where it is seen.
  function meter() {
    if (root.dataset.stage === "check" || root.dataset.panel === "devices") level.watch(devices.audio);
    else level.stop();
  }
  room.addEventListener("panel", meter);
  room.addEventListener("stage", meter);

  room.action("devices", () => room.toggle("devices"));
  room.action("flip", () => devices.flip());
  room.action("music", async () => { await devices.setMusic(!devices.music); });
  room.addEventListener("changed", () => {
    root.dataset.facing = devices.facing;
    room.offer("flip", devices.all("camera").length > 1);
    room.press("music", devices.music);
  });
}
