// The service worker: shows what comes, opens what is clicked.  It keeps no files and answers no requests.

const HOME = new URL("../", self.location);

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let notice = {};
  try {
    notice = event.data.json();
  } catch {
    // Browsers want something to be shown for every message, even for one that makes no sense.
  }
  event.waitUntil(self.registration.showNotification(notice.title || self.location.hostname, {
    body: notice.body || "",
    tag: notice.tag || "notice",
    lang: notice.lang || "",
    icon: new URL("icon.png", self.location).href,
    data: {url: notice.url || "/"},
    renotify: true,
    requireInteraction: Boolean(notice.urgent),
    vibrate: notice.urgent ? [300, 150, 300, 150, 300] : [150],
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url ?? "/"));
});

/** Bring the page to the front, in a window where it is open already if there is one.  Only pages of this site. */
async function open(address) {
  const url = new URL(address, self.location.origin);
  if (url.origin !== self.location.origin) return;
  const windows = await self.clients.matchAll({type: "window", includeUncontrolled: true});
  const there = windows.find((client) => client.url.split("#")[0] === url.href.split("#")[0]);
  await (there ? there.focus() : self.clients.openWindow(url.href));
}

// The push service has replaced the subscription: tell the site, without anybody having to open it.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew()));

async function renew() {
  const answer = await fetch(new URL("key", HOME), {headers: {"Accept": "application/json"}, redirect: "error"});
  if (!answer.ok) return; // signed out: the page "Notices" does it at the next visit
  const {key, csrf} = await answer.json();
  const subscription = await self.registration.pushManager.subscribe({userVisibleOnly: true, applicationServerKey: key});
  await fetch(new URL("subscribe", HOME), {
    method: "POST",
    headers: {"Content-Type": "application/json", "Accept": "application/json", "X-CSRFToken": csrf},
    body: JSON.stringify(subscription),
  });
}
