// Switches notices on and off in this browser: the service worker, the permission, the subscription, in this order.

const PATIENCE = 15000;
const root = document.querySelector("[data-webpush]");
const [on, off] = [root.querySelector("[data-webpush-on]"), root.querySelector("[data-webpush-off]")];

/** Show one of the states: none, denied, off, on, failed. */
function show(state) {
  for (const text of root.querySelectorAll("[data-webpush-state]")) text.hidden = text.dataset.webpushState !== state;
  on.hidden = state !== "off" && state !== "failed";
  off.hidden = state !== "on";
}

/** Base64 for URLs as bytes. */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** Whether the subscription was made with the site's present key. */
function isOurs(subscription) {
  const key = new Uint8Array(subscription.options.applicationServerKey ?? []);
  const wanted = bytes(root.dataset.key);
  return key.length === wanted.length && key.every((byte, place) => byte === wanted[place]);
}

async function tell(url, content) {
  const headers = {"Content-Type": "application/json", "Accept": "application/json", "X-CSRFToken": root.dataset.csrf};
  const answer = await fetch(url, {method: "POST", headers, body: JSON.stringify(content)});
  if (!answer.ok) throw new Error(`the site answered ${answer.status}`);
}

async function switchOn() {
  on.disabled = true;
  try {
    if (await Notification.requestPermission() !== "granted") {
      show(Notification.permission === "denied" ? "denied" : "off");
      return;
    }
    const registration = await navigator.serviceWorker.register(root.dataset.worker);
    const old = await registration.pushManager.getSubscription();
    if (old && !isOurs(old)) await old.unsubscribe();
    const made = await subscribe(await active(registration));
    await tell(root.dataset.subscribe, made.toJSON());
    location.reload();
  } catch (error) {
    console.warn("notices could not be switched on:", error.message);
    show("failed");
  } finally {
    on.disabled = false;
  }
}

/** Subscribe at the browser's push service; one that does not answer must not leave the button dead. */
function subscribe(registration) {
  const asked = registration.pushManager.subscribe({userVisibleOnly: true, applicationServerKey: bytes(root.dataset.key)});
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE));
  return Promise.race([asked, late]);
}

/** The registration once its worker is active: it controls no page, so navigator.serviceWorker.ready never comes. */
function active(registration) {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration;
  return new Promise((resolve) => {
    worker.addEventListener("statechange", () => worker.state === "activated" && resolve(registration));
  });
}

async function switchOff() {
  off.disabled = true;
  const registration = await navigator.serviceWorker.getRegistration(root.dataset.worker);
  const subscription = await registration?.pushManager.getSubscription();
  try {
    if (subscription) await tell(root.dataset.unsubscribe, {endpoint: subscription.endpoint});
    await subscription?.unsubscribe();
    location.reload();
  } finally {
    off.disabled = false;
  }
}

async function begin() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  on.addEventListener("click", switchOn);
  off.addEventListener("click", switchOff);
  if (Notification.permission === "denied") return show("denied");
  const registration = await navigator.serviceWorker.getRegistration(root.dataset.worker);
  const subscription = await registration?.pushManager.getSubscription();
  show(subscription && isOurs(subscription) && Notification.permission === "granted" ? "on" : "off");
}

begin();
