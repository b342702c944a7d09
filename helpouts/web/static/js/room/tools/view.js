// What is seen where: the other's picture in a window of its own, our own picture in a corner, or not at all.

const CORNERS = ["end-end", "end-start", "start-start", "start-end"];

export function setUpView(room) {
  const {root} = room;
  const {remote} = room, stage = remote.parentElement;
  let corner = 0, hidden = false, apart = null;

  room.action("corner", () => {
    corner = (corner + 1) % CORNERS.length;
    root.dataset.corner = CORNERS[corner];
  });
  room.action("self", () => {
    hidden = !hidden;
    root.dataset.self = hidden ? "hidden" : "shown";
  });
  root.dataset.corner = CORNERS[0];

  room.action("pip", async () => {
    try {
      if (apart) apart();
      else if ("documentPictureInPicture" in window) await ownWindow();
      else await video();
    } catch {
      room.status("no_pip", "warning");
    }
  });

  // A window that stays on top, with the picture in it; it comes back to the page when the window closes.
  async function ownWindow() {
    const opened = await window.documentPictureInPicture.requestWindow({width: 480, height: 320});
    for (const sheet of document.querySelectorAll('link[rel="stylesheet"]')) opened.document.head.append(sheet.cloneNode());
    opened.document.title = room.settings.peerName;
    opened.document.documentElement.lang = document.documentElement.lang;
    opened.document.body.className = "room-apart";
    opened.document.body.append(remote);
    apart = () => opened.close();
    opened.addEventListener("pagehide", back);
    room.changed();
  }

  async function video() {
    await remote.requestPictureInPicture();
    apart = () => document.exitPictureInPicture();
    remote.addEventListener("leavepictureinpicture", back, {once: true});
  }

  function back() {
    apart = null;
    if (remote.parentElement !== stage) stage.prepend(remote);
    remote.play().catch(() => {});
    room.changed();
  }

  room.offer("pip", "documentPictureInPicture" in window || document.pictureInPictureEnabled);
  room.addEventListener("changed", () => {
    room.press("pip", Boolean(apart));
    room.press("self", hidden);
    root.dataset.apart = Boolean(apart);
  });
}
