"""Two people in the room of a booking, in browsers over a real site (:mod:`helpouts.testing.site`).

For tests and benchmarks.  The pages are the product's own; Chromium brings a fake camera that shows a clock, and a fake
microphone that beeps once a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.accounts.passwords import hash_password
from helpouts.audit.actor import SYSTEM
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.sessions import service
from helpouts.sessions.models import Presence, RoomMessage, Session
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

T = TypeVar("T")
PASSWORD = "four words make sense 42"  # of people who exist in tests only
#: Lets a test see a page's media connections, and break its way to the server.
WATCH = """
window.peers = [];
window.sockets = [];
const [Peer, Socket] = [RTCPeerConnection, WebSocket];
window.RTCPeerConnection = class extends Peer { constructor(...all) { super(...all); top.peers.push(this); } };
window.WebSocket = class extends Socket { constructor(...all) { super(...all); sockets.push(this); } };
"""
#: Notes the instant (Unix ms) of each picture of the other side that is shown.
PICTURES = """() => {
  window.shown = [];
  const video = document.querySelector("[data-remote]");
  const note = () => { shown.push(performance.timeOrigin + performance.now()); video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
}"""
HERE = """sockets.at(-1).readyState === WebSocket.OPEN && document.getElementById("room").dataset.peer === "true"
  && document.querySelector("[data-meter-time]").dataset.running === "true\""""
LOUDEST = """async (time) => {
  const context = new AudioContext(), ear = context.createAnalyser();
  context.createMediaStreamSource(document.querySelector("[data-remote]").srcObject).connect(ear);
  const samples = new Float32Array(ear.fftSize);
  let loudest = 0;
  for (const end = performance.now() + time; performance.now() < end;) {
    await new Promise((next) => setTimeout(next, 40));
    ear.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples);
  }
  await context.close();
  return loudest > 0.01 ? loudest : 0;
}"""


def until(page: Page, condition: Callable[[], T], seconds: float = 30, what: str = "") -> tuple[T, float]:
    """Wait for something to be true while the browsers go on; what it is, and after how long."""
    start = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() < start + seconds, what or "never true"
        page.wait_for_timeout(100)
    return found, time.monotonic() - start


def person(chromium: Browser, site: Site, email: str) -> Any:
    """A browser's page of somebody who is signed in; ``script_errors`` collects what its scripts raise."""
    from playwright.sync_api import expect

    # Nothing is granted here: Playwright's grant would hold in frames that the page has taken the right from.
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(20_000)
    page: Any = context.new_page()
    page.add_init_script(WATCH)
    page.script_errors = []
    page.on("pageerror", lambda error: page.script_errors.append(str(error)))
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").last.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_attached()
    return page


def make_pair(site: Site, **values: Any) -> tuple[Listing, User, User]:
    """(listing, customer, expert) with passwords and money."""
    with site.runtime().database.write() as db:
        listing = make_listing(db, make_expert(db), **values)
        customer = make_customer(db)
        expert = listing.expert.members[0].user
        for user in (customer, expert):
            user.password = hash_password(PASSWORD)
        return listing, customer, expert


def heard(page: Page, milliseconds: int) -> float:
    """How loud the other side is, at its loudest in that time; 0 when nothing is heard."""
    return float(page.evaluate(LOUDEST, milliseconds))


class Call:
    """Two browsers in the room of a booking that begins now, at 90 minor units a minute.

    :param away: the customer's browser, when it is not the expert's.
    """

    def __init__(self, chromium: Browser, site: Site, away: Browser | None = None) -> None:
        from playwright.sync_api import expect

        self.site = site
        listing, customer, expert = make_pair(site, pricing="per_minute", price_minor=90)
        with site.runtime().database.write() as db:
            booking = make_booking(db, listing, customer)
            booking.starts_at, booking.ends_at = clock.now(), clock.now() + timedelta(minutes=30)
            self.public_id = booking.public_id
            session = service.session_of(db, booking)
            assert session is not None
            self.session_id = session.id
        self.expert, self.customer = (
            person(chromium, site, expert.email),
            person(away or chromium, site, customer.email),
        )
        self.pages = [self.expert, self.customer]
        for page in self.pages:
            page.goto(f"{site.url}/bookings/{self.public_id}")
            page.get_by_role("link", name="Enter the room").click()
            expect(page.locator("[data-join]")).to_be_enabled(timeout=20_000)
            page.click("[data-join]")
        for page in self.pages:
            self.wait_for_both(page)

    def here(self, page: Page) -> bool:
        """This page is connected and sees the other side here, with the meter running."""
        return bool(page.evaluate(HERE))

    def wait_for_both(self, page: Page, seconds: float = 30) -> float:
        """Until :meth:`here`; how long it took."""
        return until(page, lambda: self.here(page), seconds, page.locator("[data-status]").inner_text())[1]

    def wait_for_media(self, page: Page, seconds: float = 30) -> float:
        """Fresh pictures of the other side arrive; how long it took."""
        frames = "document.querySelector('[data-remote]').getVideoPlaybackQuality().totalVideoFrames"
        before = page.evaluate(frames)
        return until(page, lambda: page.evaluate(frames) > before + 5, seconds, "no pictures")[1]

    def watch(self) -> None:
        """Note from now on when pictures are shown, for :meth:`gap`."""
        for page in self.pages:
            page.evaluate(PICTURES)

    def gap(self, page: Page, moment: float) -> float:
        """The longest time between two pictures since a moment (Unix seconds), in seconds."""
        at = [value / 1000 for value in page.evaluate("shown") if value / 1000 > moment - 0.5]
        return float(max(later - earlier for earlier, later in zip(at, [*at[1:], time.time()], strict=True)))

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

    def node(self) -> str:
        """The live process that has the room."""
        with self.site.runtime().database.read() as db:
            return db.get_one(Session, self.session_id).node

    def connected(self) -> int:
        """What the meter says, in seconds."""
        with self.site.runtime().database.read() as db:
            return service.connected_seconds(db, db.get_one(Session, self.session_id))

    def end(self) -> None:
        """From another process."""
        with self.site.runtime().database.write() as db:
            service.end(db, db.get_one(Session, self.session_id), "operator", SYSTEM)

    def close(self) -> None:
        """Close both; no script has failed."""
        errors = [page.script_errors for page in self.pages]
        for page in self.pages:
            page.context.close()
        assert errors == [[], []]
