// Files for the chat: chosen, dropped or pasted; sent over HTTP with progress, again after a drop, taken back while they go.

import {inWords} from "../chat.js";

const AGAIN_MS = [1000, 2000, 4000, 8000, 15000];

export function setUpFiles(room) {
  const {settings, texts} = room;
  const input = room.find("file-input"), panel = room.root.querySelector('[data-panel-name="chat"]'), state = room.find("file-state");

  room.action("attach", () => input.click());
  input.addEventListener("change", () => { sendAll(input.files); input.value = ""; });
  panel.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    sendAll(event.clipboardData.files);
  });
  for (const kind of ["dragenter", "dragover"]) room.root.addEventListener(kind, (event) => {
    if (room.root.dataset.stage !== "call" || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    if (room.root.dataset.panel !== "chat") room.panel("chat");
    panel.classList.add("room-chat--drop");
  });
  room.root.addEventListener("dragleave", (event) => { if (!room.root.contains(event.relatedTarget)) panel.classList.remove("room-chat--drop"); });
  room.root.addEventListener("drop", (event) => {
    panel.classList.remove("room-chat--drop");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    sendAll(event.dataTransfer.files);
  });

  function sendAll(files) { for (const file of files) sendOne(file); }

  function sendOne(file) {
    if (file.size > settings.fileMost) return tell(room.say("file_too_large", {file: file.name, most: inWords(settings.fileMost, settings.locale)}));
    if (!file.size) return tell(room.say("file_empty", {file: file.name}));
    tell("");
    const id = crypto.randomUUID();
    const line = room.chat.sending(id, file.name);
    const bar = Object.assign(document.createElement("progress"), {max: 1, value: 0, ariaLabel: room.say("file_sending", {file: file.name})});
    const stop = Object.assign(document.createElement("button"), {type: "button", className: "chat__stop", textContent: texts.file_cancel, ariaLabel: room.say("file_cancel_named", {file: file.name})});
    line.append(bar, stop);
    let request = null, tries = 0, timer = null;
    stop.addEventListener("click", () => { clearTimeout(timer); request?.abort(); room.chat.forget(id); });
    go();

    function go() {
      request = new XMLHttpRequest();
      request.open("POST", `${settings.filesUrl}?${new URLSearchParams({client_id: id, name: file.name})}`);
      request.setRequestHeader("X-CSRFToken", settings.csrf);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.onprogress = (event) => { bar.value = event.loaded / event.total; };
      request.onload = () => {
        if (request.status === 200) { bar.remove(); stop.remove(); return; } // the server says the line itself
        if (request.status >= 500 || request.status === 429) return again();
        room.chat.forget(id);
        tell(request.response?.error ?? room.say(request.status === 413 ? "file_too_large" : "file_failed", {file: file.name, most: inWords(settings.fileMost, settings.locale)}));
      };
      request.onerror = request.ontimeout = again;
      request.send(file);
    }

    function again() {
      bar.value = 0;
      timer = setTimeout(go, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]); // the same id: it cannot come twice
    }
  }

  function tell(text) {
    state.textContent = text;
    state.hidden = !text;
  }
}
