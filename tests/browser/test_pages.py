"""Every page that people see, in a real browser: accessible (axe), never wider than a phone, light, without errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import links, moving, series, waiting
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.calendars.models import CalendarSource
from helpouts.catalog.models import ExpertMember, Listing
from helpouts.catalog.records import SearchRequest
from helpouts.catalog.service import expert_of
from helpouts.clock import clock
from helpouts.companies import invitations
from helpouts.coupons import making as coupons
from helpouts.coupons import redeeming
from helpouts.coupons.making import Terms
from helpouts.demo.history import answers
from helpouts.instant import asking, presence
from helpouts.instant.models import DevicePresence
from helpouts.jobs.models import Job
from helpouts.packages import offers
from helpouts.packages import service as packages
from helpouts.plugins.service import write_settings
from helpouts.runtime import Runtime, runtime_of
from helpouts.scheduling.service import free_slots
from helpouts.sessions.service import session_of
from helpouts.site import put
from helpouts.testing.factories import make_user
from helpouts.testing.site import Site, serving
from helpouts.vetting import service as vetting
from helpouts.vetting.models import Application
from helpouts.wishes import answers as request_answers
from helpouts.wishes import requests, saved

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
#: Most that a page for everybody may transfer, styles, typeface and scripts included.
MOST_BYTES = 150_000
#: The same of a room, which is not for everybody: two people who have booked open it once, with all its tools.
MOST_ROOM_BYTES = 250_000


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and who looks at it: visitor, customer, expert or operator."""

    who: str
    path: str
    #: The status that it answers with; the pages of errors are pages, too.
    status: int = 200


WISHES = ("/account/searches", "/account/searches/new?q=router&category=it&price=free", "/requests", "/requests/new")
PUBLIC = ("/", "/search", "/search?q=router", "/search?q=xyzzy", "/about", "/imprint", "/login", "/register", "/reset")
CONSOLE = (
    *("users", "experts", "applications", "invitations", "listings", "bookings", "payments", "refunds", "reviews"),
    *("packages", "requests", "rooms", "ledger", "coupons", "audit", "jobs", "mails"),
)


def _changes(db: Session, paid: Listing, free: Listing, customer: User, booking: Booking) -> list[Place]:
    """Moving and cancelling, with and without an account; a series, and the wait-list."""
    starts = free_slots(db, paid, clock.now() + timedelta(days=12), clock.now() + timedelta(days=20))
    other = moving.other_starts(db, booking, booking.starts_at, booking.starts_at + timedelta(days=7))[0]
    moving.reschedule(db, booking, other, Actor("expert", booking.host_id, "expert"), "A doctor's appointment.")
    told = answers(bookings.check_bookable(db, paid))
    actor, host_id = Actor("customer", customer.id, customer.email), paid.expert.owner.id
    zone, key, times = "Europe/Berlin", "series", [starts[0], starts[-1]]
    drafts = series.draft_series(
        db, paid, customer, times, told, every_weeks=1, host_id=host_id, zone=zone, idempotency_key=key
    )
    held = series.hold_series(db, drafts, 1, key, actor)
    entry = waiting.join(db, free, customer.id, answers(bookings.check_bookable(db, free)), zone=zone, weekdays=[5])
    one = series.bookings_of(db, held)[0]
    links_to = [links.link(db, booking, customer, purpose) for purpose in ("cancel", "move", "answer")]
    found = [Place("visitor", "/b/" + url.partition("/b/")[2]) for url in links_to]
    found.append(Place("visitor", "/b/" + links.link(db, one, customer, "take").partition("/b/")[2]))
    paths = (
        f"/bookings/{booking.public_id}/move",
        f"/bookings/{booking.public_id}/move/answer",
        f"/book/{paid.id}/series?start={starts[len(starts) // 2]:%Y-%m-%dT%H:%M:%SZ}",
        f"/series/{held.public_id}/checkout",
        f"/series/{held.public_id}/cancel",
        f"/wait/{paid.id}",
        f"/waiting/{entry.public_id}",
    )
    return [*found, *(Place("customer", path) for path in paths)]


def places(runtime: Runtime) -> list[Place]:
    """Every page, with something to see on it; makes bookings, an invitation and a refund first."""
    with runtime.database.write() as db:
        write_settings(db, "payments_wallet", {"test_topup": True}, SYSTEM)
        customer = db.scalars(select(User).where(User.email == "customer@demo.example")).one()
        expert = db.scalars(select(User).where(User.email == "expert@demo.example")).one()
        live = select(Listing).where(Listing.state == "live").order_by(Listing.id)
        offers = db.scalars(live).all()
        own = next(offer for offer in offers if offer.expert.owner.id == expert.id)
        free = next(offer for offer in offers if offer.pricing == "free" and offer.expert.owner.id != expert.id)
        paid = next(offer for offer in offers if offer.pricing == "fixed" and offer.expert.owner.id != expert.id)
        done = db.scalars(select(Booking).where(Booking.host_id == expert.id, Booking.state == "completed")).first()
        soon = _booked(db, own, customer, "soon", 0)
        later = _booked(db, free, customer, "later", 30)
        held, reduced = (_held(db, paid, customer, f"held {days}", days) for days in (10, 14))
        coupons.create(db, paid.expert, "ONE-FOR-THE-LONG-EVENING", Terms(33, None, "EUR"), SYSTEM)
        redeeming.apply(db, reduced, "ONE-FOR-THE-LONG-EVENING")
        application = db.scalars(select(Application)).first()
        vetting.issue(db, "it", "friend@example.org", SYSTEM)
        session = session_of(db, soon)
        account = _calendars(db, expert)
        assert application is not None
        assert session is not None
        assert done is not None
        now = clock.now()
        db.execute(
            update(Booking)
            .where(Booking.id == soon.id)
            .values(starts_at=now + timedelta(minutes=5), ends_at=now + timedelta(minutes=35))
        )
        offer, _own = (_package(db, listing, customer) for listing in (paid, own))
        start = free_slots(db, paid, now + timedelta(days=20), now + timedelta(days=30))[0]
        found = [Place("visitor", path) for path in PUBLIC]
        found += [Place("visitor", f"/c/{slug}") for slug in runtime_of(db).registry.categories(db)]
        found += [Place("visitor", f"/l/{offer.slug}") for offer in (own, free, paid)]
        found += [Place("visitor", f"/e/{paid.expert.slug}?coupon=SUMMER10")]
        found += [
            Place("visitor", f"/e/{own.expert.slug}"),
            Place("visitor", "/become-an-expert"),
            Place("visitor", "/become-an-expert?category=it"),
            Place("visitor", f"/applications/{application.public_id}"),
            Place("visitor", "/confirm"),
            Place("visitor", "/nowhere", 404),
        ]
        found += [
            Place("customer", path)
            for path in (
                *(
                    "/",
                    "/account",
                    "/account/profile",
                    "/account/notices",
                    "/account/tokens",
                    "/account/security",
                    "/change",
                    "/tf-setup",
                ),
                *("/packages", f"/packages/buy/{offer}"),
                *("/account/calendar", "/mf-recovery-codes", "/verify", "/join", "/x/payments_wallet/"),
                f"/book/{paid.id}?start={start:%Y-%m-%dT%H:%M:%SZ}",
                f"/bookings/{held.public_id}/checkout",
                f"/bookings/{reduced.public_id}/checkout",
                f"/bookings/{later.public_id}",
                f"/bookings/{later.public_id}/cancel",
                f"/bookings/{soon.public_id}",
                f"/bookings/{soon.public_id}/report",
                f"/room/{session.room_id}",
            )
        ]
        found += _help_now(db, own, free, customer)
        found += _changes(db, paid, free, customer, later)
        found += [
            Place("expert", path)
            for path in (
                *(
                    "/expert",
                    "/expert/hours",
                    "/expert/week",
                    "/expert/calendars",
                    "/expert/calendars/connect?kind=ical",
                    "/expert/calendars/connect?kind=caldav",
                    f"/expert/calendars/{account}",
                    "/expert/coupons",
                    "/expert/coupons/new",
                    "/expert/profile",
                    "/expert/listings/new",
                    "/expert/listings/new?category=it",
                ),
                *("/x/payments_wallet/", "/expert/packages"),
                *(f"/expert/listings/{own.id}{page}" for page in ("", "/retire", "/people")),
                *(f"/bookings/{soon.public_id}", f"/bookings/{done.public_id}", f"/room/{session.room_id}", "/account"),
            )
        ]
        found += [
            Place("operator", f"/console/{path}")
            for path in ("", "health/", "site/", "plugins/", "more/", "ledger/accounts/", "invitations/issue/")
        ]
        found += [Place("operator", f"/console/plugins/{name}/") for name in ("payments_wallet", "video_aiortc")]
        found += [Place("operator", f"/console/{part}/") for part in CONSOLE]
    found += _wishes(runtime) + _company(runtime)
    return [*found, Place("customer", "/console/", 403)]


def _company(runtime: Runtime) -> list[Place]:
    """The expert's profile becomes a company's, with a second person and an open invitation."""
    with runtime.database.write() as db:
        owner = db.scalars(select(User).where(User.email == "expert@demo.example")).one()
        expert, second = expert_of(db, owner), make_user(db, "Maximiliane Oberhuber-Schmittlein", "expert")
        assert expert is not None
        expert.kind = "company"
        db.add(ExpertMember(expert_id=expert.id, user_id=second.id, role="manager"))
        invitations.invite(db, expert, "somebody.with.a.long.name@a-long-domain.example", "member", owner)
        mail = db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id.desc()).limit(1)).one()
        link = re.search(r"/company/join/[\w-]+", mail.payload["body"])
        assert link is not None
        return [
            *(Place("expert", path) for path in ("/expert/people", f"/expert/people/{second.id}")),
            *(Place(who, link[0]) for who in ("visitor", "customer")),
        ]


def _wishes(runtime: Runtime) -> list[Place]:
    """Saved searches and posted requests, open, answered and with the longest words."""
    with runtime.database.write() as db:
        customer = db.scalars(select(User).where(User.email == "customer@demo.example")).one()
        expert = db.scalars(select(User).where(User.email == "expert@demo.example")).one()
        live = db.scalars(select(Listing).where(Listing.state == "live").order_by(Listing.id)).all()
        own = next(offer for offer in live if offer.expert.owner.id == expert.id)
        wish = {
            "category": own.category,
            "title": "Donaudampfschifffahrtsgesellschaftskapitänsmütze",
            "text": "Die Netzwerkzugangskontrolleinrichtung meldet Verbindungsaufbauzeitüberschreitungen.",
            "timing": "week",
            "budget_minor": 2000,
        }
        answered = requests.post(db, customer, wish, "Europe/Berlin")
        waiting = requests.post(db, customer, {**wish, "title": "My printer hides"}, "Europe/Berlin")
        actor = Actor("expert", expert.id, expert.email)
        request_answers.answer(db, answered, own.expert, actor, listing_id=own.id, text="I know this lamp.")
        search = saved.save(db, customer, SearchRequest(q="router", category=own.category), "Router " * 11)
        stop = f"/alerts/stop/{saved.stop_token(db, search)}"
        filtered = "/search?q=router&category=it&price=paid&date=2027-01-26&time=15:30&around=60&rating_min=4"
        return [
            *(Place("visitor", path) for path in (stop, filtered, "/requests/new?title=router&topic=it")),
            *(Place("customer", path) for path in (*WISHES, f"/requests/{answered.public_id}")),
            *(Place("expert", path) for path in ("/expert/requests", f"/expert/requests/{waiting.public_id}")),
        ]


def _help_now(db: Session, own: Listing, free: Listing, customer: User) -> list[Place]:
    """The pages of help right now; the expert is available, and rings for somebody who waits."""
    presence.turn(db, own.expert.owner.id, True)
    presence.turn(db, free.expert.owner.id, True)
    for user_id in (own.expert.owner.id, free.expert.owner.id):
        db.add(DevicePresence(user_id=user_id, node="elsewhere", until=clock.now() + timedelta(hours=2)))
    db.flush()
    put(db, "ring_seconds", 300, SYSTEM)
    given = answers(runtime_of(db).registry.category(free.category))
    other = make_user(db, "Wanda Wait")
    actor = Actor("customer", other.id, other.email)
    asked = asking.ask(db, other, given, listing=free, zone="UTC", idempotency_key="now", actor=actor)
    assert asked.state == "ringing"
    return [
        Place("customer", "/now"),
        Place("customer", f"/now?listing={own.slug}"),
        Place("customer", f"/now?listing={free.slug}"),
        Place("customer", f"/now?category={own.category}"),
        Place("customer", "/now?category=fashion"),
    ]


def _calendars(db: Session, expert: User) -> str:
    """Connected calendars in every state; the key of an account in which calendars are to be chosen."""
    now = clock.now()
    read = {"read_at": now - timedelta(hours=3), "events": 12, "next_at": now + timedelta(days=9)}
    states: list[dict[str, object]] = [
        {"name": "Family", **read},
        {"name": "Work", "failures": 2, "trouble": "status", "trouble_status": 500, "left_out": 1, **read},
        {"name": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten", "failures": 1},
        {"name": "New", "next_at": now + timedelta(days=9)},
        {"name": "Account", "kind": "caldav", "next_at": None},
    ]
    for state in states:
        source = CalendarSource(user_id=expert.id, **{"kind": "ical", "host": "example.org", "sealed": "", **state})
        source.collections = [{"href": f"/{n}/", "name": f"Number {n}", "chosen": False} for n in (1, 2)]
        db.add(source)
    db.flush()
    return source.public_id


def _package(db: Session, listing: Listing, customer: User) -> int:
    """An offer of the listing whose package the customer holds."""
    offer = offers.add_offer(db, listing, listing.length_minutes, 2, 1500, SYSTEM)
    packages.buy(
        db, offer, customer, Actor("customer", customer.id, customer.email), idempotency_key=f"pages {offer.id}"
    )
    return offer.id


def _held(db: Session, listing: Listing, customer: User, key: str, days: int) -> Booking:
    category = runtime_of(db).registry.category(listing.category)
    begin = clock.now() + timedelta(days=days)
    start = free_slots(db, listing, begin, begin + timedelta(days=14))[0]
    zone, told = "Europe/Berlin", answers(category)
    made = bookings.draft(db, listing, customer, start, told, zone=zone, idempotency_key=key)
    return bookings.reserve(db, made, Actor("customer", customer.id, customer.email))


def _booked(db: Session, listing: Listing, customer: User, key: str, days: int) -> Booking:
    booking = _held(db, listing, customer, key, days)
    return bookings.confirm(db, booking, SYSTEM) if booking.state == "held" else booking


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """The demo site."""
    with serving(tmp_path_factory.mktemp("pages"), "--demo") as made:
        yield made


@pytest.fixture(scope="module")
def all_places(site) -> list[Place]:
    """Every page of the demo site."""
    return places(site.runtime())


class Visitor:
    """A browser of somebody, in one language, width and theme; English at a light desk, German on a dark phone."""

    def __init__(self, chromium: Browser, site: Site, who: str, language: str) -> None:
        self.site = site
        self.context = chromium.new_context(
            locale="en-GB" if language == "en" else "de-DE",
            color_scheme="light" if language == "en" else "dark",
            viewport=DESK if language == "en" else PHONE,
            timezone_id="Europe/Berlin",
            permissions=["camera", "microphone"],
        )
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        # Every page is weighed as the first one that somebody opens.
        self.context.new_cdp_session(self.page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda line: self.problems.append(line.text) if line.type == "error" else None)
        if who != "visitor":
            self.sign_in(f"{who}@demo.example")
        self.page.goto(f"{site.url}/about")
        button = self.page.locator(f".site-footer .switch__button[lang={language}]")
        if button.get_attribute("aria-current") is None:
            button.click()
        expect(self.page.locator("html")).to_have_attribute("lang", language)

    def sign_in(self, email: str) -> None:
        """With the password that ``up --demo`` has printed."""
        printed = re.search(rf"{re.escape(email)}\s+(\S+)", self.site.log_text())
        assert printed is not None
        self.page.goto(f"{self.site.url}/login")
        self.page.fill("[name=email]", email)
        self.page.fill("[name=password]", printed[1])
        self.page.locator("main form button[type=submit]").last.click()
        expect(self.page.locator("[action$='/logout']")).to_be_attached()

    def open(self, place: Place) -> None:
        """Go there and wait for what scripts make of it; notes a wrong status."""
        self.problems.clear()
        answer = self.page.goto(self.site.url + place.path)
        if place.path.startswith("/room/"):
            expect(self.page.locator("[data-join]")).to_be_enabled()
        status = answer.status if answer else 0
        if place.status >= 400:
            self.problems[:] = [text for text in self.problems if f"status of {place.status}" not in text]
        if status != place.status:
            self.problems.append(f"answers {status}")

    def check(self, place: Place) -> list[str]:
        """What is wrong with a page, in words."""
        self.open(place)
        found = [*self.problems, *self.violations()]
        size, most = self.page.evaluate(TRANSFERRED), MOST_ROOM_BYTES if "/room/" in self.page.url else MOST_BYTES
        found += [f"transfers {size} bytes"] if size > most else []
        for size in (PHONE, DESK) if self.page.viewport_size == DESK else (DESK, PHONE):
            self.page.set_viewport_size(size)
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            if wide > size["width"]:
                found.append(f"{wide} px wide on a screen of {size['width']}: {self.page.evaluate(WIDEST)}")
        return [f"{place.who} {place.path}: {problem}" for problem in found]

    def violations(self) -> list[str]:
        """What axe finds: as the page is, and with all that has to be scrolled to in full view."""
        self.page.evaluate(AXE)
        found = self._axe()
        return found + self._axe() if self.page.evaluate(UNROLLED) else found

    def _axe(self) -> list[str]:
        result = self.page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", TAGS)
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in result["violations"]
            for node in rule["nodes"][:3]
        ]


#: Bytes of the document and of everything it loaded, as they came over the line.
TRANSFERRED = """() => {
  const sizes = new Map();
  for (const entry of [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")])
    sizes.set(entry.name.split("#")[0], entry.encodedBodySize);
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}"""
#: Shows all of what scrolls in a box of its own; how many boxes there were.
UNROLLED = """() => {
  const boxes = [...document.querySelectorAll("main *")].filter((element) =>
    element.scrollHeight > element.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(element).overflowY));
  for (const box of boxes) box.style.maxBlockSize = "none";
  return boxes.length;
}"""
WIDEST = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 4).map((element) => `${element.tagName}.${element.className}`).join(" ")"""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("who", ["visitor", "customer", "expert", "operator"])
def test_every_page_is_accessible_and_fits(site, chromium, all_places, who, language):
    visitor = Visitor(chromium, site, who, language)
    problems: list[str] = []
    for place in all_places:
        if place.who != who:
            continue
        problems += visitor.check(place)
        detail = visitor.page.locator("main a[href*='/details/']")
        if place.path.startswith("/console/") and "details" not in place.path and detail.count():
            address = str(detail.first.get_attribute("href")).removeprefix(site.url)
            problems += visitor.check(Place(who, address))
    visitor.context.close()
    assert "\n".join(problems) == ""


#: Numbers everything that can be reached by the tab key; of a group of radio buttons only one can.
NUMBERED = """() => {
  const groups = new Set();
  let count = 0;
  const stops = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  for (const element of document.querySelectorAll(stops)) {
    if (!element.checkVisibility() || element.disabled || element.closest("[role=grid], [aria-hidden=true]")) continue;
    if (element.type === "radio") {
      if (groups.has(element.name)) continue;
      groups.add(element.name);
    }
    element.dataset.stop = element.type === "radio" ? `radio ${element.name}` : String(count);
    count += 1;
  }
  return [...document.querySelectorAll("[data-stop]")].map((element) => element.dataset.stop);
}"""
FOCUSED = """() => {
  const element = document.activeElement;
  return element.type === "radio" ? `radio ${element.name}` : element.dataset.stop ?? "";
}"""


@pytest.mark.parametrize(
    ("who", "part"),
    [
        ("visitor", "/l/"),
        ("visitor", "/become-an-expert?"),
        ("customer", "/book/"),
        ("customer", "/room/"),
        ("expert", "/expert/hours"),
    ],
)
def test_everything_can_be_reached_by_keyboard(site, chromium, all_places, who, part):
    visitor = Visitor(chromium, site, who, "en")
    visitor.open(next(place for place in all_places if place.who == who and place.path.startswith(part)))
    page = visitor.page
    wanted = page.evaluate(NUMBERED)
    reached = set()
    for _ in range(len(wanted) * 4 + 10):  # a date or a time is a field of several stops
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
        if reached.issuperset(wanted):
            break
    visitor.context.close()
    assert len(wanted) > 3
    assert set(wanted) - reached == set()


def test_the_first_stop_leads_past_the_navigation(site, chromium):
    visitor = Visitor(chromium, site, "visitor", "en")
    page = visitor.page
    page.goto(f"{site.url}/search")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    visitor.context.close()


@pytest.mark.parametrize("state", ["prelaunch", "invitation_only"])
def test_the_closed_site_is_a_page_like_the_others(site, chromium, state):
    runtime = site.runtime()
    with runtime.database.write() as db:
        put(db, "state", state, SYSTEM)
    try:
        visitor = Visitor(chromium, site, "visitor", "de")
        problems = visitor.check(Place("visitor", "/"))
        expect(visitor.page.locator("main a[href='/become-an-expert']").first).to_be_visible()
        visitor.context.close()
    finally:
        with runtime.database.write() as db:
            put(db, "state", "open", SYSTEM)
    assert "\n".join(problems) == ""
