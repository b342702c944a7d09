// The meter: the server says how long both were connected and whether it runs; here it only ticks in between.

export class Meter {
  #time; #money; #price; #base = 0; #since = null; #format;

  constructor(root, {pricing, priceMinor, amountMinor, currency, exponent, locale}) {
    this.#time = root.querySelector("[data-meter-time]");
    this.#money = root.querySelector("[data-meter-money]");
    this.#price = {pricing, priceMinor, amountMinor, exponent};
    this.#format = new Intl.NumberFormat(locale, {style: "currency", currency});
    setInterval(() => this.#show(), 250);
  }

  /** What the server measured. */
  set({seconds, running}) {
    this.#base = seconds;
    this.#since = running ? performance.now() : null;
    this.#show();
  }

  /** The session was extended: it costs at most so much now. */
  price({price_minor: priceMinor, amount_minor: amountMinor}) {
    Object.assign(this.#price, {priceMinor, amountMinor});
    this.#show();
  }

  /** The connection is gone: stand still until the server says otherwise. */
  pause() {
    this.#base = this.seconds;
    this.#since = null;
  }

  get seconds() {
    return Math.floor(this.#base + (this.#since === null ? 0 : (performance.now() - this.#since) / 1000));
  }

  #show() {
    const seconds = this.seconds;
    const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
    this.#time.textContent = (seconds >= 3600 ? `${Math.floor(seconds / 3600)}:` : "") + parts.join(":");
    this.#time.dataset.running = this.#since !== null;
    if (!this.#money) return;
    const {pricing, priceMinor, amountMinor, exponent} = this.#price;
    const minor = pricing === "per_minute" ? Math.min(amountMinor, Math.round(priceMinor * seconds / 60)) : amountMinor;
    this.#money.textContent = this.#format.format(minor / 10 ** exponent);
  }
}
