"""What people notice, between two headless Chromium pages: the first picture, its rate, and a partner's reload.

The same page, over each transport's own module; server, pages and cameras share the machine.  The camera is on
before the click, as the room's device check leaves it.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import helpouts_video_aiortc
import helpouts_video_janus
import helpouts_video_p2p
from playwright.async_api import Page

from benchmarks.media import subjects
from helpouts.testing.calls import Calls, calling

PLUGINS: Mapping[str, ModuleType] = {
    "browser to browser": helpouts_video_p2p,
    "Janus": helpouts_video_janus,
    "video_aiortc": helpouts_video_aiortc,
}
Rows = dict[str, dict[str, list[float]]]
FIRST, WAITING, RELOAD, TARGET = "first picture, ms", "for who waited, ms", "after a reload, ms", "target, kb/s"
OVER_DIRECT_MS, RELOAD_MS, TARGET_OF_DIRECT = 30, 500, 0.97
SETTLE_SECONDS = 10

READY = """async () => {
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 480}});
  navigator.mediaDevices.getUserMedia = async () => media;
  const video = document.getElementById("video");
  window.shown = [];
  const note = () => {
    shown.push(performance.timeOrigin + performance.now());
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}"""
CLICK = """async who => {
  const clicked = performance.timeOrigin + performance.now();
  await enter(who);
  return clicked;
}"""


async def _page(calls: Calls) -> Page:
    context = await calls.browser.new_context()
    page = await context.new_page()
    await page.goto(calls.base)
    await page.evaluate(READY)
    return page


async def _shown_after(page: Page, instant: float) -> float:
    """When a page showed the first picture that came after an instant, ms of the wall clock."""
    await page.wait_for_function("instant => shown.some(when => when > instant)", arg=instant, polling=20)
    return float(await page.evaluate("instant => shown.find(when => when > instant)", instant))


async def _one(plugin: ModuleType, settings: Mapping[str, Any], row: dict[str, list[float]], *, settle: bool) -> None:
    async with calling(plugin, **settings) as calls:
        ann, bob = await _page(calls), await _page(calls)
        await ann.evaluate(CLICK, "ann")
        await asyncio.sleep(1)
        clicked = await bob.evaluate(CLICK, "bob")
        row[FIRST].append(await _shown_after(bob, clicked) - clicked)
        row[WAITING].append(await _shown_after(ann, clicked) - clicked)
        if settle:
            await asyncio.sleep(SETTLE_SECONDS)
            row[TARGET].append(min([await page.evaluate("target()") for page in (ann, bob)]))
        await bob.reload()
        await bob.evaluate(READY)
        await asyncio.sleep(0.5)  # what was on its way of the old page has been shown
        clicked = await bob.evaluate(CLICK, "bob")
        row[RELOAD].append(await _shown_after(ann, clicked) - clicked)


async def measure(folder: Path, host: str, rounds: int) -> Rows:
    """Interleaved rounds; the rate is looked at in the first only, for it takes ten seconds."""
    rows: Rows = {name: defaultdict(list) for name in PLUGINS}
    for turn in range(rounds):
        for name, plugin in PLUGINS.items():
            settings: dict[str, Any] = {}
            with subjects.running("room", folder / f"room{turn}", host) as janus:
                if name == "Janus":
                    settings = {"servers": [janus.url]}
                await _one(plugin, settings, rows[name], settle=turn == 0)
    return rows


def show(rows: Rows) -> list[str]:
    """Print the medians and compare them; the limits that were missed."""
    columns = (FIRST, WAITING, RELOAD, TARGET)
    print(f"\n{'two Chromium pages':20}" + "".join(f"{column:>20}" for column in columns))
    found = {
        name: {column: statistics.median(row[column]) if row[column] else float("nan") for column in columns}
        for name, row in rows.items()
    }
    for name, row in found.items():
        print(f"{name:20}" + "".join(f"{row[column]:20.0f}" for column in columns))
    ours, direct = found["video_aiortc"], found["browser to browser"]
    checks = (
        ("first picture", ours[FIRST] <= direct[FIRST] + OVER_DIRECT_MS),
        ("picture after a reload", ours[RELOAD] <= RELOAD_MS),
        ("encoder's target", ours[TARGET] >= TARGET_OF_DIRECT * direct[TARGET]),
    )
    print(
        f"limits: first picture within {OVER_DIRECT_MS} ms of browser to browser, after a reload {RELOAD_MS} ms, "
        "target as browser to browser"
    )
    return [name for name, held in checks if not held]
