"""How soon a call is back after the network was gone, or was another: the relay beside browser to browser.

    python -m benchmarks.bench_outage [--rounds 3] [--only relay]

Two Chromium pages, one of them in a network of its own (root, nftables).  *Media cut*: no UDP, and no TCP to the port
of the relay; signalling stands.  *All cut*: nothing passes.  *Router*: the flow comes from another address at once.
*Address*: the machine itself gets another address, the old one is gone; Chromium tells its pages of that after two
seconds (net::NetworkChangeNotifier), which no page can shorten.  *Back* is the time from the end of the cut, or from
the change, to the first picture that the slower of the two pages shows then; for a change of address it is the longest
gap between two pictures.  Nobody clicks.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from types import ModuleType
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
    "address": 3.0,
}
PATIENCE = 30.0


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
    return max(later - earlier for earlier, later in zip(at, [*at[1:], time.time()], strict=True))


async def outage(calls: Calls, net: Network, pages: list[Any], case: str) -> float:
    """Run one case in a call that stands; seconds until both see again."""
    if case in ("address", "router"):
        moment = time.time()
        (net.move if case == "address" else net.rebind)()
        await asyncio.sleep(10)
        return float(max([await longest_gap(page, moment) for page in pages]))
    port = getattr(calls.driver, "port", None)
    tcp = [f"tcp {side} {port}" for side in ("dport", "sport")] if port else []
    net.cut(*([] if case.startswith("all") else ["meta l4proto udp", *tcp]))
    await asyncio.sleep(float(case.split()[2]))
    moment = time.time()
    net.join()
    return float(max(await asyncio.gather(*(first_after(page, moment) for page in pages))))


async def measure(plugin: ModuleType, case: str) -> float:
    """One call, one case."""
    with network() as net:
        settings = {"public_ip": net.address} if plugin is helpouts_video_aiortc else {}
        async with calling(plugin, behind=net, **settings) as calls:
            pages = [await calls.page("ann", away=True), await calls.page("bob")]
            for page in pages:
                await moves(page, by=30)
                await page.evaluate(WATCH)
            await asyncio.sleep(1)
            return await outage(calls, net, pages, case)


def main() -> int:
    """Measure all, interleaved; print; 1 when a limit was missed by the relay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("relay", "p2p"))
    parser.add_argument("--cases", nargs="*", choices=LIMITS, default=list(LIMITS))
    options = parser.parse_args()
    plugins = {"relay": helpouts_video_aiortc, "p2p": helpouts_video_p2p}
    if options.only:
        plugins = {options.only: plugins[options.only]}
    found: dict[tuple[str, str], list[float]] = {}
    for _round in range(options.rounds):
        for case in options.cases:
            for name, plugin in plugins.items():
                found.setdefault((case, name), []).append(asyncio.run(measure(plugin, case)))
    missed = False
    print(f"{'case':16}{'':8}{'back, s: median':>16}{'worst':>8}{'limit':>8}")
    for (case, name), values in found.items():
        median = statistics.median(values)
        limit = LIMITS[case] if name == "relay" else None
        missed |= limit is not None and median > limit
        print(f"{case:16}{name:8}{median:16.2f}{max(values):8.2f}{'' if limit is None else format(limit, '8.1f')}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
