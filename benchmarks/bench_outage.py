"""How soon a call is back after the network was gone, or was another: the relay beside browser to browser.

    python -m benchmarks.bench_outage [--rounds 1] [--transports relay p2p]

Two Chromium pages in a call, one of them in a network of its own (root, nftables).  Each transport has two calls at
once, which go through three cases each, one after the other; a round takes a minute and a half a transport.

*Media cut*: no UDP, and no TCP to the port of the relay; signalling stands.  *All cut*: nothing passes.  *Router*: the
flow comes from another address at once.  *Address*: the machine itself gets another address, the old one is gone;
Chromium tells its pages of that after two seconds (net::NetworkChangeNotifier), so the relay's page has sockets that
are bound to none (roaming.js).  *Back* is the time from the end of the cut to the first picture that the slower of the
two pages shows then; for a change of address it is the longest gap between two pictures.  Nobody clicks.  The way to
the server is a plain WebSocket here, which does not come back sooner than TCP does: browser to browser, which needs it,
is therefore slow after a long cut of everything.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import helpouts_video_aiortc
import helpouts_video_p2p

from helpouts.testing.calls import Calls, calling, moves
from helpouts.testing.network import Network, network

WATCH = """() => {
  window.shown = [];
  const video = document.getElementById("video");
  const note = () => { shown.push(performance.timeOrigin + performance.now()); video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
}"""
LIMITS = {
    "media cut 8 s": 1.5,
    "all cut 8 s": 1.5,
    "media cut 40 s": 3.0,
    "all cut 40 s": 3.0,
    "router": 1.0,
    "address": 1.0,
}
#: What one call goes through; the changes of the path come last, since nothing takes them back.
LANES = (
    ("media cut 8 s", "media cut 40 s", "router"),
    ("all cut 8 s", "all cut 40 s", "address"),
)
PLUGINS = {"relay": helpouts_video_aiortc, "p2p": helpouts_video_p2p}
#: Seconds: a call that is not back then counts as lost, and its lane ends there.
PATIENCE = 30.0
#: Seconds in which the longest gap between two pictures is looked for, when the path changes.
AFTER_CHANGE = 7.0


async def first_after(page: Any, moment: float) -> float:
    """Seconds from a moment to the first picture shown after it."""
    wanted = f"shown.some((at) => at > {moment * 1000})"
    try:
        await page.wait_for_function(wanted, timeout=PATIENCE * 1000)
    except Exception:  # playwright's TimeoutError: not back at all
        return float("inf")
    found = await page.evaluate(f"shown.find((at) => at > {moment * 1000})")
    return float(found) / 1000 - moment


async def longest_gap(page: Any, moment: float) -> float:
    """The longest time between two pictures from a moment on, in seconds."""
    at = [value / 1000 for value in await page.evaluate(f"shown.filter((at) => at > {(moment - 0.5) * 1000})")]
    return float(max(later - earlier for earlier, later in zip(at, [*at[1:], time.time()], strict=True)))


async def outage(calls: Calls, net: Network, pages: list[Any], case: str) -> float:
    """Run one case in a call that stands; seconds until both see again."""
    if case in ("address", "router"):
        moment = time.time()
        (net.move if case == "address" else net.rebind)()
        await asyncio.sleep(AFTER_CHANGE)
        gap = float(max([await longest_gap(page, moment) for page in pages]))
        return gap if gap < AFTER_CHANGE else float("inf")
    port = getattr(calls.driver, "port", None)
    tcp = [f"tcp {side} {port}" for side in ("dport", "sport")] if port else []
    net.cut(*([] if case.startswith("all") else ["meta l4proto udp", *tcp]))
    await asyncio.sleep(float(case.split()[2]))
    moment = time.time()
    net.join()
    return float(max(await asyncio.gather(*(first_after(page, moment) for page in pages))))


async def lane(name: str, cases: Sequence[str]) -> dict[str, float]:
    """One call, one case after the other."""
    plugin, found = PLUGINS[name], {}
    with network() as net:
        settings = {"public_ip": net.address} if name == "relay" else {}
        async with calling(plugin, behind=net, **settings) as calls:
            pages = [await calls.page("ann", away=True), await calls.page("bob")]
            for page in pages:
                await moves(page, by=30)
                await page.evaluate(WATCH)
            for case in cases:
                await asyncio.sleep(1)
                found[case] = await outage(calls, net, pages, case)
                if found[case] == float("inf"):
                    break
                for page in pages:  # the next case begins with a call that stands
                    await moves(page, by=30)
    return found


def run(name: str, cases: Sequence[str]) -> dict[str, float]:
    """A lane in a process of its own: a process has one relay."""
    return asyncio.run(lane(name, cases))


def measure(name: str, cases: Sequence[str]) -> dict[str, float]:
    """All cases of one transport, two calls at a time."""
    lanes = [wanted for cases_of in LANES if (wanted := [case for case in cases_of if case in cases])]
    with ProcessPoolExecutor(len(lanes), get_context("spawn")) as pool:
        parts = pool.map(run, [name] * len(lanes), lanes)
        return {case: seconds for part in parts for case, seconds in part.items()}


def main() -> int:
    """Measure all, interleaved; print; 1 when a limit was missed by the relay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--transports", nargs="*", choices=PLUGINS, default=["relay"])
    parser.add_argument("--cases", nargs="*", choices=LIMITS, default=list(LIMITS))
    options = parser.parse_args()
    found: dict[tuple[str, str], list[float]] = {}
    for _round in range(options.rounds):
        for name in options.transports:
            for case, seconds in measure(name, options.cases).items():
                found.setdefault((case, name), []).append(seconds)
    missed = False
    print(f"{'case':16}{'':8}{'back, s: median':>16}{'worst':>8}{'limit':>8}")
    for case in options.cases:
        for name in options.transports:
            values = found.get((case, name), [float("inf")])
            median = statistics.median(values)
            limit = LIMITS[case] if name == "relay" else None
            missed |= limit is not None and median > limit
            print(f"{case:16}{name:8}{median:16.2f}{max(values):8.2f}{'' if limit is None else format(limit, '8.1f')}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
