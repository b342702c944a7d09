// Recording: asked of each of us, shown while it runs, stopped by either at once.  What counts is what the server says.

export function setUpRecording(room) {
  const {settings} = room;
  const ask = room.find("rec-ask"), after = room.find("rec-after"), sign = room.find("rec"), adult = room.find("rec-adult");
  const item = room.control("record");
  const key = `helpouts-recording-${settings.ticketUrl}`;
  let state = null, here = false, declined = sessionStorage.getItem(key) === "no";

  room.on("welcome", (message) => {
    room.find("rec-age").hidden = !message.recording.ask_age;
    show(message.recording);
    present(message.peer);
  });
  room.on("recording", show);
  room.on("peer", present);
  room.on("recording_declined", () => {
    ask.hidden = true;
    room.status("rec_declined");
    said("rec_declined");
  });

  function present(peer) {
    here = peer.present;
    offer();
  }

  const mine = () => state.agreed.includes(settings.me);
  const theirs = () => state.agreed.includes(settings.peer);

  function show(found) {
    const before = state;
    state = found;
    sign.hidden = !found.running;
    room.root.dataset.recording = found.running;
    if (before && before.running !== found.running) said(found.running ? "rec_running" : "rec_stopped");
    else if (!before && found.running) said("rec_running");
    item.closest("li").hidden = found.rule === "forbidden";
    item.querySelector("[data-label]").textContent = room.say(found.running ? "rec_stop" : mine() ? "rec_waiting" : "rec_start");
    if (found.running || mine()) ask.hidden = true;
    if (found.running) after.hidden = true;
    offer();
  }

  /** Ask by ourselves: when the other side has agreed, or when the category wants each session to be asked. */
  function offer() {
    if (!state || state.running || !here || mine() || state.rule === "forbidden") return;
    if (theirs() || (state.rule === "asked" && !declined)) question();
  }

  function question() {
    const title = room.find("rec-ask-title"), text = room.say(theirs() ? "rec_wants" : "rec_question");
    if (!ask.hidden && title.textContent === text) return;
    title.textContent = text;
    ask.hidden = false;
    said(theirs() ? "rec_wants" : "rec_question");
  }

  function said(text) { room.find("rec-said").textContent = room.say(text); }

  room.find("rec-yes").addEventListener("click", () => {
    if (!room.find("rec-age").hidden && !adult.checked) {
      adult.focus();
      room.status("rec_adult", "warning");
      return;
    }
    room.send({type: "recording", agree: true, adult: adult.checked});
    ask.hidden = true;
  });
  room.find("rec-no").addEventListener("click", () => {
    declined = true;
    sessionStorage.setItem(key, "no");
    ask.hidden = true;
    room.send({type: "recording", agree: false});
  });
  room.find("rec-stop").addEventListener("click", stop);
  room.find("rec-keep").addEventListener("click", () => { after.hidden = true; });
  room.find("rec-delete").addEventListener("click", () => {
    room.send({type: "recording", agree: false, delete: true});
    after.hidden = true;
  });
  room.action("record", () => {
    if (!state) return;
    room.panel(null);
    if (state.running) stop();
    else if (mine()) room.send({type: "recording", agree: false});
    else question();
  });

  function stop() {
    declined = true; // whoever stops it is not asked again; the button stays
    sessionStorage.setItem(key, "no");
    room.send({type: "recording", agree: false});
    after.hidden = false;
    room.find("rec-keep").focus();
  }
}
