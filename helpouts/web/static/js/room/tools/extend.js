// When the session ends, and more minutes: asked for, answered, and a word five minutes before the end.

const WARN_S = [300, 60]; // seconds before the end at which both are told

export function setUpExtending(room) {
  const {settings} = room;
  const offer = room.find("offer"), line = room.find("offer-text"), buttons = room.find("offer-buttons"), list = room.find("extend-choices"), left = room.find("extend-left");
  let ends = null, newest = null, known = null, told = 0, ending = false, more = false;

  room.on("welcome", (message) => set(message.extension, true));
  room.on("extension", (message) => set(message, false));
  room.action("extend", () => room.toggle("extend"));
  setInterval(tick, 1000);

  function set(state, first) {
    const before = ends;
    ends = performance.now() + state.left * 1000;
    if (before !== null && ends > before + 5000) { // it was extended: they are told anew before the new end
      told = WARN_S.filter((seconds) => state.left <= seconds).length;
      ending = false;
    }
    more = state.choices.length > 0;
    room.meter.price(state);
    choices(state.choices, state.obstacle);
    newest = state.newest;
    const key = newest && `${newest.id}:${newest.state}`;
    if (!first && newest && key !== known) news(newest);
    known = key;
    card();
    tick();
  }

  function news({state, mine, minutes}) {
    if (state === "done") room.tell(room.say("extended", {minutes}), "success");
    if (state === "declined") room.status(mine ? "extend_declined" : "extend_declined_by_you");
  }

  const price = (text) => text && settings.pricing === "per_minute" ? room.say("extend_at_most", {price: text}) : text;
  const priced = (key, {minutes, price: text}) => room.say(text ? `${key}_priced` : key, {minutes, price: price(text)});

  /** What waits for an answer, or that the end is near, over the picture. */
  function card() {
    const open = newest?.state === "proposed";
    offer.hidden = !open && !ending;
    if (open) {
      line.textContent = priced(newest.mine ? "extend_asked" : settings.host ? "extend_wanted" : "extend_offered", newest);
      const {id} = newest, answer = (agree) => () => room.send({type: "extend_answer", id, agree});
      buttons.replaceChildren(...(newest.mine
        ? [button("extend_take_back", "secondary", answer(false))]
        : [button("extend_agree", "primary", answer(true)), button("extend_no", "secondary", answer(false))]));
    } else if (ending) {
      line.textContent = left.textContent;
      const away = button("extend_later", "secondary", () => { ending = false; card(); });
      buttons.replaceChildren(...(more ? [button("extend_now", "primary", () => { ending = false; card(); room.panel("extend"); })] : []), away);
    }
  }

  function button(key, kind, act) {
    const made = Object.assign(document.createElement("button"), {type: "button", className: `btn btn--${kind} btn--s`, textContent: room.say(key)});
    made.addEventListener("click", act);
    return made;
  }

  function choices(all, obstacle) {
    list.replaceChildren(...all.map((choice) => {
      const item = document.createElement("li"), made = Object.assign(document.createElement("button"), {type: "button", className: "room-item"});
      made.append(Object.assign(document.createElement("span"), {textContent: room.say("minutes", {minutes: choice.minutes})}),
        Object.assign(document.createElement("span"), {className: "room-item__more", textContent: price(choice.price)}));
      made.addEventListener("click", () => { room.panel(null); room.send({type: "extend", minutes: choice.minutes}); });
      item.append(made);
      return item;
    }));
    const none = room.find("extend-none");
    none.hidden = all.length > 0;
    if (obstacle) none.textContent = obstacle;
  }

  function tick() {
    if (ends === null) return;
    const seconds = (ends - performance.now()) / 1000;
    const minutes = Math.max(0, Math.ceil(seconds / 60));
    left.textContent = seconds > 0 ? room.say(minutes === 1 ? "ends_in_one" : "ends_in", {minutes}) : room.say("ends_over");
    if (room.root.dataset.stage !== "call" || told >= WARN_S.length || seconds > WARN_S[told]) return;
    told++;
    ending = true;
    card();
  }
}
