"""What others fell into, each with the test that tells, here or beside; and leaks.

* packets that nobody hears must be opened all the same: test_ten_minutes_alone_do_not_spoil_the_keys
* a jump backwards on one SSRC: test_a_new_source_goes_on_where_the_last_one_stopped,
  test_no_number_is_ever_given_to_two_packets
* probes on the retransmission stream come first:
  test_padding_for_probing_carries_no_original_number_and_passes_as_it_is,
  test_a_fresh_picture_is_asked_of_pictures_only
* extension ids, payload types and mids differ: test_numbers_in_the_offer_are_the_same_for_everybody
* transport-wide numbers of a second source: test_a_second_source_continues_behind_what_was_reported
* memory that the kernel writes to is freed:
  test_datagrams_of_any_length_up_to_the_room_come_whole_also_after_short_ones_were_sent
* sendmmsg sends less than asked: test_a_full_buffer_drops_the_rest_of_the_batch_and_no_more
* legs that live on media alone: test_media_alone_keep_no_leg, test_what_falls_silent_is_ended
* DTLS transports that nobody stops: test_closing_ends_a_handshake_that_nobody_answers
* TCP, a write buffer without bounds, a peer that vanishes: test_a_peer_that_is_slow_or_gone_costs_dropped_packets_only
* no ICE restart: test_an_ice_restart_keeps_the_leg_and_changes_its_version
* REMB only: test_the_offer_has_three_bundled_slots_with_all_that_is_ever_needed
* random ports: test_all_calls_share_one_port
* queues without bounds: test_records_before_the_handshake_are_kept_up_to_a_bound
* threads that keep the process from ending: test_a_call_starts_no_thread
* memory that grows with each call: test_a_thousand_rooms_leave_nothing_behind
* rooms that cost something while they are empty: test_idle_rooms_cost_nothing
* one peer that takes the whole core: test_who_floods_is_cut_to_a_generous_rate
* a tap that fails: test_a_tap_that_fails_is_logged_once_counted_and_stops_nothing
* private addresses offered to the public: test_what_keeps_media_away_is_named
* no UDP at all: test_where_no_udp_passes_the_call_runs_over_tcp
* H.264 of the wrong profile: test_pictures_come_as_vp8_or_h264_and_an_offer_may_leave_out_one
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import struct
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from helpouts_video_aiortc import driver as driver_module
from helpouts_video_aiortc import leg as leg_module
from helpouts_video_aiortc import media
from helpouts_video_aiortc.driver import SILENCE_SECONDS

from benchmarks.fuzz.browser import Browser, rtp
from helpouts.sessions import MediaRoom

KEYFRAME = b"\x10\x00" + bytes(50)


def test_the_list_above_names_tests_that_exist() -> None:
    assert __doc__ is not None
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    named = re.findall(r"\btest_\w+", __doc__)
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in sources] == []


class Relay:
    """A relay in this process, as the small browser sees it."""

    def __init__(self, site: Any, http: aiohttp.ClientSession) -> None:
        self.site, self.driver, self.http = site, site.driver, http
        self.pairs: list[Browser] = []

    async def grant(self, room: str, who: str) -> dict[str, Any]:
        return dict(await self.site.grant(who, room))

    async def browser(self, who: str, room: str = "room") -> Browser:
        browser = Browser(self)  # type: ignore[arg-type]  # it needs no more of a relay than this
        self.pairs.append(browser)
        await browser.connect(room, who)
        leg = self.leg(who)
        await until(lambda: leg.connected)
        return browser

    def leg(self, who: str) -> Any:
        return next(leg for _room, leg in self.driver._legs.values() if leg.participant == who)


@pytest.fixture
async def relay(site: Any) -> AsyncIterator[Relay]:
    async with site(max_calls=10_000, public_ip="127.0.0.1") as running, aiohttp.ClientSession() as http:
        relay = Relay(running, http)
        yield relay
        for browser in relay.pairs:
            await browser.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def test_ten_minutes_alone_do_not_spoil_the_keys(relay: Relay) -> None:
    """More than 65 536 packets in the waiting room: the roll-over counter has to be followed."""
    ann = await relay.browser("ann")
    for number in range(70_000):
        ann.socket.send(ann.protect(rtp(111, 7, number, 0, b"")))
        if number % 50 == 49:  # no faster than the relay reads, and as slowly as it allows
            await asyncio.sleep(0)
            relay.leg("ann").refill()
    bob = await relay.browser("bob")
    ann.socket.send(ann.protect(rtp(111, 7, 70_000, 0, b"hello")))
    await until(lambda: any(packet[12:] == b"hello" for packet in bob.got))
    assert relay.driver.statistics().get("dropped_srtp", 0) == 0


async def test_a_fresh_picture_is_asked_of_pictures_only(relay: Relay) -> None:
    ann = await relay.browser("ann")
    for payload, ssrc in ((111, 1), (96, 2), (97, 3), (99, 4), (102, 5)):
        ann.socket.send(ann.protect(rtp(payload, ssrc, 1, 0, KEYFRAME)))
    await until(lambda: len(relay.leg("ann").sources) == 5)
    asked: list[int] = []
    relay.leg("ann").send_rtcp = lambda compound: asked.append(struct.unpack_from("!I", compound, 8)[0])
    relay.leg("ann").request_keyframes()
    assert sorted(asked) == [2, 5]


async def test_a_browser_that_was_away_gets_and_gives_a_fresh_picture(relay: Relay) -> None:
    ann, _bob = await relay.browser("ann"), await relay.browser("bob")
    asked: list[str] = []
    for who in ("ann", "bob"):
        relay.leg(who).request_keyframes = lambda who=who: asked.append(who)
    ann.socket.send(ann.check())
    await asyncio.sleep(0.05)
    assert asked == [], "it was here all the time"
    relay.leg("ann").heard -= 2 * leg_module.GAP_SECONDS
    ann.socket.send(ann.check())
    await until(lambda: sorted(asked) == ["ann", "bob"])


async def test_media_alone_keep_no_leg(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7675: who no longer agrees to receive says nothing, whatever it still sends."""
    ann = await relay.browser("ann")
    relay.leg("ann").heard -= SILENCE_SECONDS + 1
    ann.socket.send(ann.protect(rtp(111, 7, 1, 0, b"")))
    await until(lambda: relay.leg("ann").sources != {})
    await relay.driver.sweep()
    assert relay.driver.statistics()["legs"] == 0


async def test_all_calls_share_one_port(relay: Relay) -> None:
    ports = set()
    for number in range(3):
        for who in ("ann", "bob"):
            browser = await relay.browser(who, f"room{number}")
            ports |= {line.split()[5] for line in browser.offer.splitlines() if line.startswith("a=candidate")}
    assert ports == {str(relay.driver.port)}
    assert relay.driver.statistics()["connected"] == 6


async def test_a_call_starts_no_thread(relay: Relay) -> None:
    before = threading.active_count()
    ann, bob = await relay.browser("ann"), await relay.browser("bob")
    ann.socket.send(ann.protect(rtp(96, 7, 1, 0, KEYFRAME)))
    await until(lambda: len(bob.got) == 1)
    assert threading.active_count() == before


async def test_who_floods_is_cut_to_a_generous_rate(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "PACKETS_PER_SWEEP", 100)
    ann, bob = await relay.browser("ann"), await relay.browser("bob")
    await relay.driver.sweep()
    for number in range(150):
        ann.socket.send(ann.protect(rtp(111, 7, number, 0, b"")))
    await until(lambda: relay.driver.statistics().get("dropped_rate") == 50)
    await until(lambda: len(bob.got) == 100)
    await relay.driver.sweep()
    ann.socket.send(ann.protect(rtp(111, 7, 150, 0, b"again")))
    await until(lambda: bob.got[-1][12:] == b"again")


# -- leaks ------------------------------------------------------------------------------------------------------


def _held(relay: Relay) -> dict[str, int]:
    """What a leak would show in: objects, tasks, timers, open files, the tables of the port and of the driver."""
    gc.collect()
    numbers = relay.driver.statistics()
    loop = asyncio.get_running_loop()
    return {
        "objects": len(gc.get_objects()),
        "tasks": len(asyncio.all_tasks()),
        "timers": sum(not timer.cancelled() for timer in loop._scheduled),  # type: ignore[attr-defined]  # nothing public
        "files": len(os.listdir("/proc/self/fd")),
        "credentials": relay.driver._port.held()[0],
        "addresses": relay.driver._port.held()[1],
        **{name: numbers[name] for name in ("rooms", "legs", "grants", "tcp_connections")},
    }


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _visit(relay: Relay, number: int, *, dtls: bool) -> None:
    """A room from its opening to its end; the ends take turns."""
    room = MediaRoom(f"room{number}")
    await relay.driver.open_room(room.id)
    browsers = [Browser(relay) for _who in range(2)]  # type: ignore[arg-type]  # as above
    for who, browser in zip(("ann", "bob"), browsers, strict=True):
        if dtls:
            await browser.connect(room.id, who)
        else:
            await browser.join(room.id, who)
            if number % 2:
                await browser.respond()
    if number % 3 == 0:
        await relay.driver.close_room(room)
    elif number % 3 == 1:
        for browser in browsers:
            async with relay.http.delete(browser.location):
                pass
    else:
        for who in ("ann", "bob"):
            await relay.driver.dismiss(room, who)
    for browser in browsers:
        if dtls:
            await browser.close()
        else:
            browser.socket.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_thousand_rooms_leave_nothing_behind(relay: Relay) -> None:
    async def visits(first: int, count: int) -> None:
        for number in range(first, first + count):
            await _visit(relay, number, dtls=number % 20 == 0)
        await asyncio.sleep(0.1)

    await visits(0, 60)
    before, memory = _held(relay), _resident_mb()
    await visits(60, 1000)
    after = _held(relay)
    assert after.pop("objects") - before.pop("objects") < 1000, "less than one object a room"
    assert after.pop("timers") <= before.pop("timers") + 3, "the HTTP server has some of its own"
    assert after == before
    assert (after["rooms"], after["legs"], after["credentials"], after["addresses"]) == (0, 0, 0, 0)
    assert _resident_mb() - memory < 10


async def test_idle_rooms_cost_nothing(relay: Relay) -> None:
    await relay.grant("first", "ann")
    await relay.driver.close_room(MediaRoom("first"))
    before = _held(relay)
    for number in range(1000):
        await relay.driver.open_room(f"room{number}")
    after = _held(relay)
    assert after.pop("objects") - before.pop("objects") < 100
    assert after == before


async def test_grants_that_nobody_uses_are_forgotten(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        await relay.grant(f"room{number}", "ann")
    monkeypatch.setattr(relay.driver, "_clock", lambda: asyncio.get_running_loop().time() + driver_module.GRANT_SECONDS)
    await relay.driver.sweep()
    assert relay.driver.statistics()["grants"] == 0
