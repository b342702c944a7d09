// The waiting page: looks again when the desk says that something differs, and every few seconds where it cannot.

const now = document.getElementById("now");
const SLOW_MS = 20000, FAST_MS = 4000;
let mark = null, timer = null, connected = false, looking = false, again = false, counter = null;

function count() {
  clearInterval(counter);
  const place = now.querySelector("[data-count]");
  if (!place) return;
  const end = performance.now() + (Number(place.dataset.count) - Number(place.dataset.now));
  const show = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    place.textContent = now.dataset.left.replace("SECONDS", left);
    if (left === 0) { clearInterval(counter); setTimeout(look, 1500); }
  };
  place.setAttribute("aria-hidden", "true"); // a voice that counts seconds helps nobody
  show();
  counter = setInterval(show, 500);
}

function go() {
  const room = now.querySelector("[data-go]");
  if (room) location.assign(room.dataset.go);
  return Boolean(room);
}

async function look() {
  again = looking; // what happens while we look is looked at afterwards
  if (looking) return;
  looking = true;
  try {
    const answer = await fetch(now.dataset.statusUrl, {headers: {Accept: "text/html"}, signal: AbortSignal.timeout(8000)});
    if (answer.ok) {
      const text = await answer.text();
      const fresh = new DOMParser().parseFromString(text, "text/html").body;
      // The same page again is left alone, so that nobody hears it twice.
      if (now.dataset.shown !== key(fresh)) {
        now.replaceChildren(...fresh.childNodes);
        now.dataset.shown = key(now);
        count();
        go();
      }
      if (!now.querySelector(".now__leave")) { delete now.dataset.open; clearTimeout(timer); }
    }
  } catch { /* the next look */ } finally {
    looking = false;
    if (again) look(); else plan();
  }
}

function key(part) {
  return `${part.querySelector("h1")?.textContent}|${part.querySelector(".lead")?.textContent}|${part.querySelector("[data-count]")?.dataset.count}`;
}

function plan() {
  clearTimeout(timer);
  if ("open" in now.dataset) timer = setTimeout(look, connected ? SLOW_MS : FAST_MS);
}

document.addEventListener("desk:state", ({detail}) => {
  connected = true;
  const fresh = detail.request?.id === now.dataset.id ? detail.request.mark : null;
  if (fresh !== mark) { mark = fresh; look(); } else plan();
});
document.addEventListener("desk:lost", () => { connected = false; plan(); });

now.dataset.shown = key(now);
count();
if (!go()) plan();
