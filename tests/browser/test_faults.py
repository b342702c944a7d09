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

from helpouts.accounts.passwords import hash_password
from helpouts.audit.actor import SYSTEM
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.mail.service import queue_mail
from helpouts.payments import ledger
from helpouts.scheduling.service import free_slots
from helpouts.sessions import service
from helpouts.sessions.models import Presence, RoomMessage, Session
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]
PASSWORD = "four words make sense 42"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site on SQLite."""
    made = Site(tmp_path_factory.mktemp("faults"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


def until(page: Page, condition, seconds: float = 30, what: str = ""):
    """Wait for something to be true while the browsers go on; what it is, and after how long."""
    start = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() < start + seconds, what or "never true"
        page.wait_for_timeout(100)
    return found, time.monotonic() - start


#: Lets a test count a page's media connections, and break its way to the server.
WATCH = """
window.peers = 0;
window.sockets = [];
const [Peer, Socket] = [RTCPeerConnection, WebSocket];
window.RTCPeerConnection = class extends Peer { constructor(...all) { super(...all); peers += 1; } };
window.WebSocket = class extends Socket { constructor(...all) { super(...all); sockets.push(this); } };
"""


def person(chromium, site, email: str) -> Page:
    """A browser of somebody who is signed in."""
    context = chromium.new_context(locale="en-GB", permissions=["camera", "microphone"])
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.add_init_script(WATCH)
    page.script_errors = []
    page.on("pageerror", lambda error: page.script_errors.append(str(error)))
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").last.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_attached()
    return page


def make_pair(site, **values):
    """(listing, customer, expert) with passwords and money."""
    with site.runtime().database.write() as db:
        listing = make_listing(db, make_expert(db), **values)
        customer = make_customer(db)
        expert = listing.expert.members[0].user
        for user in (customer, expert):
            user.password = hash_password(PASSWORD)
        return listing, customer, expert


class Call:
    """Two browsers in the room of a booking that begins now."""

    def __init__(self, chromium, site) -> None:
        self.site = site
        listing, customer, expert = make_pair(site, pricing="per_minute", price_minor=90)
        with site.runtime().database.write() as db:
            booking = make_booking(db, listing, customer)
            booking.starts_at, booking.ends_at = clock.now(), clock.now() + timedelta(minutes=30)
            self.public_id = booking.public_id
            self.session_id = service.session_of(db, booking).id
        self.pages = [person(chromium, site, user.email) for user in (expert, customer)]
        self.expert, self.customer = self.pages
        for page in self.pages:
            page.goto(f"{site.url}/bookings/{self.public_id}")
            page.get_by_role("link", name="Enter the room").click()
            expect(page.locator("[data-join]")).to_be_enabled(timeout=20_000)
            page.click("[data-join]")
        for page in self.pages:
            self.wait_for_both(page)

    def wait_for_both(self, page: Page, seconds: float = 30) -> float:
        """This page is connected and sees the other side here, with the meter running; how long it took."""
        running = "document.querySelector('[data-meter-time]').dataset.running === 'true'"
        here = f"document.getElementById('room').dataset.peer === 'true' && {running}"
        return until(page, lambda: page.evaluate(here), seconds, page.locator("[data-status]").inner_text())[1]

    def wait_for_media(self, page: Page, seconds: float = 30) -> float:
        """Fresh pictures of the other side arrive; how long it took."""
        frames = "document.querySelector('[data-remote]').getVideoPlaybackQuality().totalVideoFrames"
        before = page.evaluate(frames)
        return until(page, lambda: page.evaluate(frames) > before + 5, seconds, "no pictures")[1]

    def say(self, page: Page, text: str) -> None:
        """Into the chat."""
        if page.locator("#room").get_attribute("data-panel") != "chat":
            page.click('[data-control="chat"]')
        page.fill("#chat-text", text)
        page.press("#chat-text", "Enter")

    def lines(self, page: Page) -> list[str]:
        """The chat as it is shown."""
        return page.locator(".chat__line .chat__text").all_inner_texts()

    def kept(self) -> list[str]:
        """The chat as it is stored."""
        with self.site.runtime().database.read() as db:
            query = select(RoomMessage.body).where(RoomMessage.session_id == self.session_id)
            return list(db.scalars(query.order_by(RoomMessage.seq)))

    def presences(self) -> list[Presence]:
        """Everybody's coming and going."""
        with self.site.runtime().database.read() as db:
            rows = list(db.scalars(select(Presence).where(Presence.session_id == self.session_id)))
            db.expunge_all()
            return rows

    def connected(self) -> int:
        """What the meter says."""
        with self.site.runtime().database.read() as db:
            return service.connected_seconds(db, db.get_one(Session, self.session_id))

    def end(self) -> None:
        """From another process."""
        with self.site.runtime().database.write() as db:
            service.end(db, db.get_one(Session, self.session_id), "operator", SYSTEM)

    def close(self) -> None:
        """No script has failed."""
        assert [page.script_errors for page in self.pages] == [[], []]
        for page in self.pages:
            page.context.close()


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
    before = [page.evaluate("peers") for page in call.pages]
    for page in call.pages:
        page.evaluate("sockets.at(-1).close()")
        until(page, lambda page=page: page.evaluate("sockets.at(-1).readyState") == 1)
        call.wait_for_both(expert, 10)
        call.wait_for_both(customer, 10)
        call.wait_for_media(expert, 10)
        call.wait_for_media(customer, 10)
    assert [page.evaluate("peers") for page in call.pages] == before, "the media were connected anew"


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
