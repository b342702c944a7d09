// Sound only, by choice: neither side sends pictures, until whoever chose it takes it back.

export function setUpSoundOnly(room) {
  const {own, media} = room;
  let theirs = false;
  own.sound_only = false;

  function apply() {
    media.pictures = !own.sound_only && !theirs;
    media.send();
    room.root.dataset.soundOnly = own.sound_only;
  }

  room.action("sound-only", () => {
    own.sound_only = !own.sound_only;
    room.status(own.sound_only ? "sound_only" : "sound_only_over");
    apply();
  });
  room.addEventListener("peerstate", ({detail}) => {
    if (theirs === Boolean(detail.sound_only)) return;
    theirs = Boolean(detail.sound_only);
    apply();
  });
  room.addEventListener("changed", () => room.press("sound-only", own.sound_only));
}
