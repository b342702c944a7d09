// Looks again while a calendar is being read.

/** Puts the newest state of the list in place, without moving the focus of somebody who is in it. */
async function refresh(left) {
  const list = document.querySelector("[data-calendars]");
  if (!list?.querySelector("[data-stage=reading]") || left === 0) return;
  await new Promise((resolve) => setTimeout(resolve, 2000));
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-calendars]");
    if (fresh && !list.contains(document.activeElement)) list.replaceWith(fresh);
  } catch {
    // The next round may have more luck.
  }
  refresh(left - 1);
}
if (!location.pathname.endsWith("/link")) refresh(60);
