// Small comforts on every page.  Everything works without this file.

const root = document.documentElement;

/** The colours in force: the visitor's choice, else the device's. */
function currentTheme() {
  return root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.setAttribute("aria-pressed", String(currentTheme() === "dark"));
  button.addEventListener("click", () => {
    const theme = currentTheme() === "dark" ? "light" : "dark";
    root.dataset.theme = theme;
    // A cookie rather than local storage: the server writes the choice into the page, so nothing flickers.
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
    button.setAttribute("aria-pressed", String(theme === "dark"));
  });
}

for (const button of document.querySelectorAll("[data-dismiss]")) {
  button.hidden = false;
  button.addEventListener("click", () => button.parentElement.remove());
}

document.querySelector("[data-focus]")?.focus();

// On a phone the tabs are wider than the screen: the one that is open comes into view.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const strip = tab.closest(".tabs");
  strip.scrollLeft += tab.getBoundingClientRect().right - strip.getBoundingClientRect().right;
}

// <button type="button" data-dialog="ID"> opens a dialog; inside one, data-dialog-close closes it.
for (const button of document.querySelectorAll("[data-dialog]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.dialog)?.showModal());
}
for (const button of document.querySelectorAll("[data-dialog-close]")) {
  button.addEventListener("click", () => button.closest("dialog")?.close());
}

// The site shows times in the visitor's own zone; the server cannot know it before the browser says so.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`zone=${zone}`)) {
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
}
