// An operator whom one of us asks in: asked for, on the way, here; said all the time, and ended by either of us.

export function setUpSupport(room) {
  const line = room.find("support"), text = room.find("support-text"), buttons = room.find("support-buttons");
  const form = room.find("support-form"), reason = form.querySelector("textarea");
  let before = {state: null};

  room.on("welcome", (message) => show(message.support));
  room.on("support", show);
  room.action("support", () => room.toggle("support"));
  room.addEventListener("panel", ({detail}) => { if (detail === "support") reason.focus(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!reason.value.trim()) return reason.focus();
    if (!room.send({type: "support_ask", reason: reason.value.trim()})) room.status("reconnecting", "warning");
  });

  function key({state, mine, here, entered}) {
    if (state === "open") return mine ? "support_waiting" : "support_asked";
    return here ? "support_here" : entered ? "support_away" : "support_coming";
  }

  function show(found) {
    const stands = Boolean(found.state), said = stands ? room.say(key(found), found) : "";
    const news = said !== text.textContent;
    text.textContent = said;
    line.hidden = !stands;
    room.offer("support", !stands);
    buttons.replaceChildren(...(found.state === "taken" ? [button("support_dismiss")]
      : found.state === "open" && found.mine ? [button("support_back")] : []));
    if (stands && room.root.dataset.panel === "support") { // what was asked for is there
      reason.value = "";
      room.panel(null);
    }
    if (news && stands) room.find("support-said").textContent = said;
    if (!stands && before.state) {
      room.find("support-said").textContent = "";
      room.status(before.state === "taken" ? "support_over" : "support_withdrawn");
    }
    before = found;
  }

  function button(name) {
    const made = Object.assign(document.createElement("button"), {type: "button", className: "btn btn--secondary btn--s", textContent: room.say(name)});
    made.addEventListener("click", () => room.send({type: name === "support_back" ? "support_withdraw" : "support_dismiss"}));
    return made;
  }
}
