// On which clock the slot picker shows its times: a select of zones, kept for the visit.

const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Every page of the visit shows times on this clock, until the browser is closed. */
export function keepForVisit(zone) {
  const safe = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `shown_in=${zone}; path=/; samesite=lax${safe}`;
}

function option(value, label, chosen = false) {
  return new Option(label, value, chosen, chosen);
}

function group(label, ...options) {
  const made = document.createElement("optgroup");
  made.label = label;
  made.append(...options);
  return made;
}

export class ZoneChoice {
  /**
   * @param {HTMLElement} line the paragraph that names the zone without scripts.
   * @param {{zone: string, texts: object, onChange: (zone: string) => void}} options
   */
  constructor(line, { zone, texts, onChange }) {
    this.zone = zone;
    this.texts = texts;
    this.select = document.createElement("select");
    this.select.id = `slots-zone-${document.querySelectorAll(".slots-zone select").length}`;
    const label = document.createElement("label");
    label.htmlFor = this.select.id;
    label.textContent = texts.zone;
    const own = JSON.parse(line.dataset.slotsZones);
    this.own = [...new Set([...own, browserZone, zone, "UTC"])].filter(Boolean);
    this.fill([]);
    for (const event of ["focus", "pointerenter"]) {
      this.select.addEventListener(event, () => this.more(line.dataset.slotsZonesUrl), { once: true });
    }
    this.select.addEventListener("change", () => {
      this.zone = this.select.value;
      keepForVisit(this.zone);
      onChange(this.zone);
    });
    line.replaceChildren(label, this.select);
  }

  fill(areas) {
    const names = new Map(areas.flatMap(([, zones]) => zones));
    const named = (zone) => names.get(zone) ?? zone.split("/").at(-1).replaceAll("_", " ");
    const own = this.own.map((zone) => option(zone, named(zone), zone === this.zone));
    const rest = areas.map(([area, zones]) => group(area, ...zones.map(([zone, label]) => option(zone, label))));
    this.select.replaceChildren(group(this.texts.suggested, ...own), ...rest);
    this.select.value = this.zone;
  }

  /** All zones, fetched when somebody is about to choose; without an answer the first few stay. */
  async more(url) {
    if (this.asked) return;
    this.asked = true;
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (answer.ok) this.fill((await answer.json()).areas);
    } catch {
      this.asked = false;
    }
  }
}
