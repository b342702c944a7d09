// The network before the call: the transport's own check where it has one, else the way to the live process.

import * as kit from "./kit.js";

const TIMES = 5;
const WEIGHT = 96 * 1024; // bytes there and back

/**
 * Try the network.
 *
 * @returns {Promise<{path, rttMs, lossPercent, kbps}>} as `check` in helpouts/sessions/transport.py; path "unknown"
 *     when only the way to the live process was measured, "unreachable" when there is none
 */
export async function measure({ticketUrl, csrf}, abort) {
  try {
    const ticket = await answer(fetch(ticketUrl, {
      method: "POST", headers: {"X-CSRFToken": csrf, Accept: "application/json"}, signal: abort,
    }));
    const {transport} = await answer(fetch(ticket.check_url, {
      method: "POST", headers: {Authorization: `Bearer ${ticket.ticket}`}, signal: abort,
    }));
    const {check} = await import(transport.module);
    const found = transport.config && check && await check({config: transport.config, kit, abort});
    return found || await echo(`${ticket.check_url}/echo`, abort);
  } catch (error) {
    abort.throwIfAborted();
    console.warn("the network could not be checked:", error);
    return {path: "unreachable", rttMs: null, lossPercent: 100, kbps: 0};
  }
}

async function answer(request) {
  const response = await request;
  if (!response.ok) throw new Error(`the server says ${response.status}`);
  return response.json();
}

async function echo(url, abort) {
  const time = async (body) => {
    const start = performance.now();
    const response = await fetch(url, {method: "POST", body, signal: abort});
    if (!response.ok) throw new Error(`the server says ${response.status}`);
    await response.arrayBuffer();
    return performance.now() - start;
  };
  const times = [];
  for (let at = 0; at < TIMES; at += 1) times.push(await time(""));
  const rttMs = Math.round(times.sort((a, b) => a - b)[TIMES >> 1]);
  const heavy = await time(new Uint8Array(WEIGHT));
  return {path: "unknown", rttMs, lossPercent: 0, kbps: Math.round(2 * WEIGHT * 8 / Math.max(heavy - rttMs, 1))};
}

/** In one word: "good", "tcp" (good, but by the slow way), "fair", "poor", "blocked" or "unreachable". */
export function verdict({path, rttMs, lossPercent, kbps}) {
  if (path === "unreachable") return "unreachable";
  if (!path) return "blocked";
  if (kbps < 120 || lossPercent > 20 || rttMs > 1500) return "poor";
  if (kbps < 500 || lossPercent > 6 || rttMs > 500) return "fair";
  return path === "tcp" ? "tcp" : "good";
}
