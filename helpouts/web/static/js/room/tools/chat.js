// The chat's panel, and the number of lines that wait to be read.

import {Chat} from "../chat.js";

export function setUpChat(room) {
  const {settings, texts} = room;
  const badge = room.find("unread");
  let unread = 0;
  const chat = new Chat(room.root, {
    me: settings.me, names: {[settings.peer]: settings.peerName}, texts, filesUrl: settings.filesUrl, snapshotsUrl: settings.snapshotsUrl, locale: settings.locale,
    send: (message) => room.send(message), onarrival: () => {
      if (room.root.dataset.panel === "chat") return;
      badge.textContent = ++unread;
      badge.hidden = false;
    },
  });
  room.chat = chat;
  room.on("welcome", (message) => {
    for (const line of message.chat) chat.receive(line);
    chat.resend();
  });
  room.on("chat", (message) => chat.receive(message));
  room.socket.addEventListener("dropped", () => chat.pause());
  room.action("chat", () => room.toggle("chat"));
  room.addEventListener("panel", ({detail}) => {
    if (detail !== "chat") return;
    unread = 0;
    badge.hidden = true;
    room.find("chat-form").querySelector("textarea").focus();
  });
}
