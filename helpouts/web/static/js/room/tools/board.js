// A snapshot of the other side's picture or screen: taken, told to both, drawn on by both at once, kept with the session.

import {Board} from "../board.js";

const LONGEST_SIDE = 1600;

export function setUpBoard(room) {
  const {settings, texts} = room;
  const section = room.find("board");
  if (!section) { room.control("snapshot")?.closest("li").remove(); return; } // the field has no drawing
  const canvas = room.find("board-canvas"), text = room.find("board-text"), state = room.find("board-state");
  let shot = null, dirty = false, back = null;
  const board = new Board(canvas, {
    onstroke: (stroke) => { dirty = true; room.send({type: "draw", shot, stroke}); },
    onmaking: (stroke) => room.send({type: "drawing", shot, stroke}),
  });

  // -- taking one ----------------------------------------------------------------------------------------------

  room.action("snapshot", async () => {
    const video = room.root.dataset.peerScreen === "true" && room.find("remote-screen").videoWidth ? room.find("remote-screen") : room.remote;
    if (!video.videoWidth) return room.status("snapshot_none", "warning");
    const part = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    const frame = new OffscreenCanvas(Math.round(video.videoWidth * part), Math.round(video.videoHeight * part));
    frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
    room.panel(null);
    const blob = await frame.convertToBlob({type: "image/jpeg", quality: 0.92});
    const answer = await upload("POST", `${settings.snapshotsUrl}?client_id=${crypto.randomUUID()}`, blob);
    if (answer) open(answer.file.id, frame, []);
  });

  async function upload(method, url, body) {
    for (let tries = 0; tries < 4; tries++) {
      const answer = await fetch(url, {method, body, headers: {"X-CSRFToken": settings.csrf, "Content-Type": "application/octet-stream"}}).catch(() => null);
      if (answer?.ok) return answer.json();
      if (answer && answer.status < 500) { room.tell((await answer.json().catch(() => ({}))).error ?? texts.snapshot_failed, "warning"); return null; }
      await new Promise((resolve) => { setTimeout(resolve, 1000 * 2 ** tries); });
    }
    room.status("snapshot_failed", "warning");
    return null;
  }

  room.on("chat", ({user, file}) => {
    if (file?.kind !== "snapshot") return;
    room.status(user === settings.me ? "snapshot_told" : "snapshot_taken");
    if (user !== settings.me) load(file.id);
  });
  room.find("chat-log").addEventListener("click", (event) => {
    const link = event.target.closest('[data-kind="snapshot"]');
    if (!link) return;
    event.preventDefault();
    load(link.dataset.file);
  });

  async function load(id) {
    const picture = Object.assign(new Image(), {src: `${settings.snapshotsUrl}/${id}?${Date.now()}`});
    try {
      await picture.decode();
    } catch {
      return room.status("snapshot_failed", "warning");
    }
    open(id, picture, []);
    room.send({type: "strokes", shot: id});
  }

  function open(id, picture, strokes) {
    if (section.hidden) back = document.activeElement;
    const typing = document.activeElement?.matches("input, textarea");
    const narrow = matchMedia("(max-width: 52rem)").matches; // there a panel lies over the picture
    if (narrow) room.panel(null);
    shot = id;
    dirty = false;
    board.show(picture);
    board.set(strokes);
    section.hidden = false;
    room.root.dataset.drawing = "open";
    tell("");
    if (narrow || !typing) canvas.focus({preventScroll: true});
  }

  // -- drawing together ----------------------------------------------------------------------------------------

  room.on("draw", (message) => {
    if (message.shot !== shot) return;
    if (message.stroke) board.add(message.stroke);
    else if (message.remove) board.remove(message.remove);
    else board.set([]);
  });
  room.on("drawing", (message) => { if (message.shot === shot) board.foreign(message.stroke); });
  room.on("strokes", (message) => { if (message.shot === shot) for (const stroke of message.strokes) board.add(stroke); });
  room.on("welcome", () => { if (shot) room.send({type: "strokes", shot}); });
  room.on("saved", async (message) => {
    if (message.shot !== shot) return;
    await board.bake(message.last);
    dirty = board.strokes.length > 0;
    tell(texts.board_saved);
  });

  const tools = [...section.querySelectorAll("[data-tool]")], colors = [...section.querySelectorAll("[data-color]")];
  for (const button of tools) button.addEventListener("click", () => choose(button.dataset.tool));
  for (const button of colors) button.addEventListener("click", () => {
    board.color = button.dataset.color;
    for (const other of colors) other.setAttribute("aria-pressed", other === button);
  });
  text.addEventListener("input", () => { board.text = text.value; });

  function choose(tool) {
    board.tool = tool;
    for (const other of tools) other.setAttribute("aria-pressed", other.dataset.tool === tool);
    text.hidden = tool !== "text";
    tell(tool === "text" ? texts.board_text_help : "");
    if (tool === "text") text.focus();
  }

  section.querySelector("[data-board-undo]").addEventListener("click", () => {
    const own = board.strokes.findLast(({user}) => user === undefined || user === settings.me);
    if (!own) return;
    board.remove(own.id);
    room.send({type: "draw", shot, remove: own.id});
  });
  section.querySelector("[data-board-clear]").addEventListener("click", () => { board.set([]); room.send({type: "draw", shot, clear: true}); });
  section.querySelector("[data-board-save]").addEventListener("click", save);
  section.querySelector("[data-board-close]").addEventListener("click", close);
  section.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); close(); }
    if (event.key === "z" && (event.ctrlKey || event.metaKey) && event.target !== text) section.querySelector("[data-board-undo]").click();
  });

  async function save() {
    const id = shot, last = board.strokes.at(-1)?.id;
    if (!last) return tell(texts.board_saved);
    tell(texts.board_saving);
    const image = await board.image();
    await upload("PUT", `${settings.snapshotsUrl}/${id}?last=${last}`, image);
  }

  /** What was drawn is kept, then the picture is put away. */
  async function close() {
    const unsaved = dirty && board.strokes.length ? save() : null;
    section.hidden = true;
    delete room.root.dataset.drawing;
    (back?.checkVisibility() ? back : room.control("more"))?.focus();
    await unsaved;
    shot = section.hidden ? null : shot;
  }

  function tell(words) { state.textContent = words; }
}
