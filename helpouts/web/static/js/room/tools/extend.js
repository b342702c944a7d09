// When the session ends, and more minutes: asked for, answered, and a word five minutes before the end.

const WARN_S = 300;

export function setUpExtending(room) {
  const {settings} = room;
  const offer = room.find("offer"), line = room.find("offer-text"), buttons = room.find("offer-buttons"), list = room.find("extend-choices"), left = room.find("extend-left");
  let ends = null, newest = null, known = null, warned = false;

  room.on("welcome", (message) => set(message.extension, true));
  room.on("extension", (message) => set(message, false));
  room.action("extend", () => room.toggle("extend"));
  setInterval(tick, 1000);

  function set(state, first) {
    ends = performance.now() + state.left * 1000;
    if (state.left > WARN_S) warned = false;
    room.meter.price(state);
    choices(state.choices);
    newest = state.newest;
    const key = newest && `${newest.id}:${newest.state}`;
    if (!first && newest && key !== known) news(newest);
    known = key;
    card();
    tick();
  }

  function news({state, mine, minutes}) {
    if (state === "done") { room.tell(room.say("extended", {minutes}), "success"); }
    if (state === "declined") room.status(mine ? "extend_declined" : "extend_declined_by_you");
  }

  const price = (text) => text && settings.pricing === "per_minute" ? room.say("extend_at_most", {price: text}) : text;
  const priced = (key, {minutes, price: text}) => room.say(text ? `${key}_priced` : key, {minutes, price: price(text)});

  /** What waits for an answer, over the picture. */
  function card() {
    const open = newest?.state === "proposed";
    offer.hidden = !open;
    if (!open) return;
    line.textContent = priced(newest.mine ? "extend_asked" : settings.host ? "extend_wanted" : "extend_offered", newest);
    buttons.replaceChildren(...(newest.mine
      ? [button("extend_take_back", "secondary", false)]
      : [button("extend_agree", "primary", true), button("extend_no", "secondary", false)]));
  }

  function button(key, kind, agree) {
    const made = Object.assign(document.createElement("button"), {type: "button", className: `btn btn--${kind} btn--s`, textContent: room.say(key)});
    const {id} = newest;
    made.addEventListener("click", () => room.send({type: "extend_answer", id, agree}));
    return made;
  }

  function choices(all) {
    list.replaceChildren(...all.map((choice) => {
      const item = document.createElement("li"), made = Object.assign(document.createElement("button"), {type: "button", className: "room-item"});
      made.append(Object.assign(document.createElement("span"), {textContent: room.say("minutes", {minutes: choice.minutes})}),
        Object.assign(document.createElement("span"), {className: "room-item__more", textContent: price(choice.price)}));
      made.addEventListener("click", () => { room.panel(null); room.send({type: "extend", minutes: choice.minutes}); });
      item.append(made);
      return item;
    }));
    room.find("extend-none").hidden = all.length > 0;
  }

  function tick() {
    if (ends === null) return;
    const seconds = (ends - performance.now()) / 1000;
    const minutes = Math.max(0, Math.ceil(seconds / 60));
    left.textContent = seconds > 0 ? room.say(minutes === 1 ? "ends_in_one" : "ends_in", {minutes}) : room.say("ends_over");
    if (seconds > WARN_S || warned || room.root.dataset.stage !== "call") return;
    warned = true;
    room.tell(left.textContent, "warning");
  }
}
