// Search filters: at a desk they act as soon as they change, and the focus stays where it was.
// On a phone they are a sheet with a button, so nothing moves while somebody chooses.  Works without this file, too.

const KEY = "finding-focus";
const desk = matchMedia("(min-width: 58rem)");

for (const form of document.querySelectorAll("[data-filters]")) {
  form.dataset.live = "";
  // A readable address: what is empty is left out.
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
  form.addEventListener("change", ({ target }) => {
    if (!desk.matches) return;
    // A time counts once its day is known, too; half of it is no search.
    if (target.name === "time" && !form.elements.date.value) return;
    if (target.name === "around" && !form.elements.date.value) return;
    sessionStorage.setItem(KEY, JSON.stringify({ id: target.id, path: location.pathname, y: scrollY }));
    form.requestSubmit();
  });
}

const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
sessionStorage.removeItem(KEY);
if (kept && kept.path === location.pathname && desk.matches) {
  document.getElementById(kept.id)?.focus({ preventScroll: true });
  scrollTo({ top: kept.y, behavior: "instant" });
}
