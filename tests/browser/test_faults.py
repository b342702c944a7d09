"""What two people in a call, and everybody else's money and mail, live through when processes and networks fail."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import threading
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from playwright.sync_api import Error, Page, expect
from sqlalchemy import select

from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.mail.service import queue_mail
from helpouts.payments import ledger
from helpouts.scheduling.service import free_slots
from helpouts.sessions import service
from helpouts.sessions.models import Session
from helpouts.testing.room import Call, make_pair, person, until
from helpouts.testing.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def call(chromium, site):
    """The call that goes through all of it; the tests go in the order of the file."""
    made = Call(chromium, site)
    yield made
    made.close()


def answers_within(page: Page, site, seconds: float = 60) -> None:
    """The live process is up again."""
    until(page, lambda: live_answers(page, site), seconds, "the live process does not come back")


def live_answers(page: Page, site) -> bool:
    with suppress(Error):
        return page.request.get(f"http://127.0.0.1:{site.port + 1}/readyz", timeout=1000).ok
    return False


def test_a_killed_live_process_comes_back_and_so_does_everybody(call, site):
    expert, customer = call.pages
    for page in call.pages:
        call.wait_for_media(page)
    call.say(customer, "before")
    until(expert, lambda: call.lines(expert) == ["before"])
    [victim] = site.children("live")
    killed_at = clock.now()
    site.kill("live")
    for text in ("first", "second", "third"):
        call.say(customer, text)
    call.say(expert, "Are you there?")
    answers_within(expert, site)
    assert site.children("live") != [victim]
    up_at = clock.now()
    took = call.wait_for_both(expert, 20) + call.wait_for_both(customer, 20)
    back_at = clock.now()
    assert took < 8, f"it took them {took:.1f} s after the process answered"
    for page in call.pages:
        call.wait_for_media(page)
        until(page, lambda page=page: len(call.lines(page)) == 5)
    own = [line for line in call.kept() if line != "Are you there?"]
    assert own == ["before", "first", "second", "third"]
    assert sorted(call.lines(expert)) == sorted(call.kept())
    assert [line for line in call.lines(customer) if line != "Are you there?"] == own

    earlier = [row for row in call.presences() if row.joined_at < killed_at]
    later = [row for row in call.presences() if row.joined_at > killed_at]
    assert all(row.left_at is not None and row.left_at <= killed_at + timedelta(seconds=0.5) for row in earlier)
    assert all(row.left_at >= killed_at - timedelta(seconds=3) for row in earlier), "more than the last seconds lost"
    assert all(up_at - timedelta(seconds=5) < row.joined_at <= back_at for row in later)


def test_a_broken_socket_leaves_picture_and_sound_alone(call):
    expert, customer = call.pages
    before = [page.evaluate("peers.length") for page in call.pages]
    for page in call.pages:
        page.evaluate("sockets.at(-1).close()")
        until(page, lambda page=page: page.evaluate("sockets.at(-1).readyState") == 1)
        call.wait_for_both(expert, 10)
        call.wait_for_both(customer, 10)
        call.wait_for_media(expert, 10)
        call.wait_for_media(customer, 10)
    assert [page.evaluate("peers.length") for page in call.pages] == before, "the media were connected anew"


def test_who_was_offline_comes_back_by_themselves(call):
    expert, customer = call.pages
    customer.context.set_offline(True)
    stop_socket_traffic(call)
    call.say(customer, "Can you read this?")
    customer.wait_for_timeout(8000)
    customer.context.set_offline(False)
    assert call.wait_for_both(customer, 20) < 8
    call.wait_for_both(expert, 10)
    until(expert, lambda: call.lines(expert)[-1] == "Can you read this?")


def stop_socket_traffic(call) -> None:
    """Chromium's offline switch leaves open sockets alone: hold the live process for the time of the outage."""
    [live] = call.site.children("live")
    os.kill(live, signal.SIGSTOP)
    threading.Timer(8, os.kill, (live, signal.SIGCONT)).start()


def test_an_end_from_another_process_moves_both_to_the_booking_and_bills_what_was_measured(call, site):
    gone = [(row.joined_at, row.left_at or clock.now()) for row in call.presences()]
    assert len(gone) >= 4
    call.end()
    for page in call.pages:
        expect(page).to_have_url(re.compile(f"/bookings/{call.public_id}$"), timeout=10_000)
        expect(page.locator("main")).to_contain_text("Completed")
    with site.runtime().database.read() as db:
        session = db.get_one(Session, call.session_id)
        measured, booking = session.connected_seconds, session.booking
        assert measured < (session.ended_at - booking.starts_at).total_seconds() - 8, "the outages were billed"
        pending = ledger.balance(db, f"earn_pending:{booking.host_id}", "EUR")
        price = round(90 * measured / 60)
        assert 0 < pending <= price
        assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == 0
    assert "The books balance" in site.run("ledger", "verify")


def test_bookings_that_were_acknowledged_survive_a_killed_web_process(chromium, site):
    listing, customer, _expert = make_pair(site, price_minor=500)
    page = person(chromium, site, customer.email)
    with site.runtime().database.read() as db:
        slots = free_slots(db, listing, clock.now(), clock.now() + timedelta(days=3))[::4]
    acknowledged, refused = [], 0
    for round_ in range(3):
        begun = time.monotonic()
        acknowledged.append(book_over_http(page, site, listing, slots.pop()))
        took = time.monotonic() - begun
        stop = threading.Timer(took * (0.35 + 0.3 * round_), kill_web, (site,))
        stop.start()
        for start in [slots.pop() for _booking in range(8)]:
            try:
                acknowledged.append(book_over_http(page, site, listing, start))
            except Error:
                refused += 1
                break
        stop.join()
        site.wait_until_ready(60)
    assert refused == 3, "the process was not killed in the middle of a booking"
    with site.runtime().database.read() as db:
        booked = db.scalars(select(Booking).where(Booking.customer_id == customer.id)).all()
        states = {booking.public_id: booking.state for booking in booked}
        assert {states[public_id] for public_id in acknowledged} == {"confirmed"}
        assert set(states.values()) <= {"confirmed", "held"}
        assert len({booking.starts_at for booking in booked}) == len(booked)
        for booking in booked:
            held = 500 if booking.state == "confirmed" else 0
            assert ledger.balance(db, f"escrow:{booking.id}", "EUR") == held, "half a booking"
            assert (service.session_of(db, booking) is not None) == (booking.state == "confirmed")
    assert "The books balance" in site.run("ledger", "verify")
    page.context.close()


def kill_web(site) -> None:
    """kill -9 gunicorn and its workers at once."""
    for pid in site.children("web"):
        os.killpg(pid, signal.SIGKILL)


def book_over_http(page: Page, site, listing, start) -> str:
    """Hold and pay as the forms do; the public id, once the site has said yes."""

    def token(url: str) -> str:
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.request.get(url).text()).group(1)

    url = f"{site.url}/book/{listing.id}?start={start.isoformat().replace('+', '%2B')}"
    text = page.request.get(url).text()
    form = {"csrf_token": re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text).group(1)}
    form |= {"start": start.isoformat(), "key": secrets.token_urlsafe(12)}
    form |= dict.fromkeys(re.findall(r'<(?:textarea|input)[^>]*name="(intake_\w+)"', text), "As described.")
    for name, options in re.findall(r'<select[^>]*name="(intake_\w+)".*?>(.*?)</select>', text, re.S):
        form[name] = re.findall(r'value="([^"]+)"', options)[0]
    held = page.request.post(url, form=form, max_redirects=0)
    assert held.status == 303, held.text()[:3000]
    checkout = (
        site.url + held.headers["location"] if held.headers["location"].startswith("/") else held.headers["location"]
    )
    paid = page.request.post(checkout, form={"csrf_token": token(checkout)}, max_redirects=0)
    assert paid.status == 303, paid.text()[:3000]
    return checkout.split("/bookings/")[1].split("/")[0]


def test_a_killed_worker_loses_no_mail(chromium, site):
    addresses = [f"mail{number}@test.example" for number in range(30)]
    with site.runtime().database.write() as db:
        for address in addresses:
            queue_mail(db, address, "accounts_password_changed", "en", name="Ann")
    page = chromium.new_page()
    for _time in range(2):
        page.wait_for_timeout(400)
        site.kill("worker")

    def arrived() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for mail in list(site.mailbox.mails):
            if mail["To"] in addresses:
                found.setdefault(mail["To"], set()).add(mail["Message-ID"])
        return found

    until(page, lambda: arrived().keys() == set(addresses), 150, "mails are missing")
    assert all(len(names) == 1 for names in arrived().values()), "two mails that look like different ones"
    page.close()


def test_sigterm_ends_everything_within_ten_seconds(tmp_path):
    site = Site(tmp_path)
    site.start()
    ours = {pid for kind in ("web", "live", "worker") for pid in site.children(kind)}
    groups = subprocess.run(["ps", "-eo", "pid=,pgid="], capture_output=True, text=True, check=True).stdout.split()
    family = {int(pid) for pid, group in zip(groups[::2], groups[1::2], strict=True) if int(group) in ours}
    assert len(ours) == 3
    start = time.monotonic()
    site.stop()
    assert time.monotonic() - start < 10
    assert [pid for pid in family if os.path.exists(f"/proc/{pid}")] == []
