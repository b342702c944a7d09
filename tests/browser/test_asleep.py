"""A laptop that sleeps or changes its network in the middle of a call: back without a click, and billed rightly."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from helpouts.clock import clock
from helpouts.sessions.service import SILENCE
from helpouts.testing.network import network
from helpouts.testing.room import Call, heard, until
from helpouts.testing.site import Site

from .conftest import ARGUMENTS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]
SLEEP = 65  # seconds; the media of somebody who is away are kept for a minute


@contextmanager
def laptop(chromium, name: str):
    """A browser of its own, and the processes that it is made of."""
    path = shutil.which("chromium")
    mark = f"--helpouts-laptop={name}"
    browser = chromium.browser_type.launch(executable_path=path, args=[*ARGUMENTS, mark])
    try:
        yield browser, lambda: family(mark)
    finally:
        browser.close()


def family(mark: str) -> list[int]:
    """The process that was started with this argument, and all that it has started."""
    parents, found = {}, set()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                if mark in (process / "cmdline").read_text().split("\0"):
                    found.add(int(process.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return sorted(found)


def test_a_machine_that_slept_is_back_without_a_click_and_the_time_is_not_billed(chromium, site):
    with laptop(chromium, "sleeper") as (browser, processes):
        call = Call(chromium, site, away=browser)
        expert, customer = call.pages
        for page in call.pages:
            call.wait_for_media(page)
        call.say(customer, "before")
        until(expert, lambda: call.lines(expert) == ["before"])
        asleep, asleep_at = processes(), clock.now()
        assert len(asleep) > 3
        for pid in asleep:
            os.kill(pid, signal.SIGSTOP)
        try:
            expect(expert.locator("[data-meter-time]")).to_have_attribute("data-running", "false", timeout=10_000)
            told = clock.now() - asleep_at
            expect(expert.locator("[data-status]")).to_contain_text("Clara Berg", timeout=3000)
            call.say(expert, "Are you asleep?")
            expert.wait_for_timeout(1000 * (SLEEP - told.total_seconds()))
        finally:
            for pid in asleep:
                os.kill(pid, signal.SIGCONT)
        awake_at, begun = clock.now(), time.monotonic()
        for page in call.pages:
            call.wait_for_both(page)
        for page in call.pages:
            call.wait_for_media(page)
        print(f"back with pictures {time.monotonic() - begun:.1f} s after waking")
        for page in call.pages:
            assert heard(page, 2500) > 0, "nothing is heard"
        call.say(customer, "I was.")
        for page in call.pages:
            until(page, lambda page=page: call.lines(page) == ["before", "Are you asleep?", "I was."])
        [gone] = [row for row in call.presences() if row.left_at is not None]
        assert gone.left_at <= asleep_at + timedelta(seconds=0.5), "the sleep was billed"
        assert told <= SILENCE + timedelta(seconds=4), "the other side was told late"
        whole = clock.now() - min(row.joined_at for row in call.presences())
        missing = whole.total_seconds() - call.connected()
        assert missing >= (awake_at - asleep_at).total_seconds() - 1
        call.close()


def test_a_change_of_address_is_no_end(tmp_path, chromium):
    with network() as net:
        site = Site(tmp_path)
        site.url = f"http://{net.address}:{site.port}"
        site.environment |= {"HELPOUTS_HOST": "0.0.0.0", "HELPOUTS_PUBLIC_URL": site.url}
        trusted = f"--unsafely-treat-insecure-origin-as-secure={site.url}"
        path = str(shutil.which("chromium"))
        near = chromium.browser_type.launch(executable_path=path, args=[*ARGUMENTS, trusted])
        far = chromium.browser_type.launch(executable_path=net.launcher(path), args=[*ARGUMENTS, trusted])
        try:
            site.start()
            call = Call(near, site, away=far)
            customer = call.customer
            for page in call.pages:
                call.wait_for_media(page)
            call.watch()
            sockets = customer.evaluate("sockets.length")
            bound = customer.evaluate("peers.at(-1).localDescription.sdp")
            assert f".{net.inside} " not in bound, "the connection is bound to the address that the machine has now"
            moved = time.time()
            net.move()
            until(customer, lambda: customer.evaluate("sockets.length") > sockets, 40, "the page noticed nothing")
            for page in call.pages:
                call.wait_for_both(page, 20)
                call.wait_for_media(page)
                assert heard(page, 2500) > 0, "nothing is heard"
            print(f"without a picture {max(call.gap(page, moved) for page in call.pages):.1f} s after the move")
            call.say(customer, "Here I am.")
            for page in call.pages:
                until(page, lambda page=page: call.lines(page) == ["Here I am."])
            whole = clock.now() - max(row.joined_at for row in call.presences()[:2])
            assert whole.total_seconds() - call.connected() < SILENCE.total_seconds() + 6
            call.close()
        finally:
            near.close()
            far.close()
            site.stop()
