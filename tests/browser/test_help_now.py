"""Help right now, as people live through it: two experts, two devices, a line of three, and a killed live process."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.accounts.passwords import hash_password
from helpouts.audit.actor import SYSTEM
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.instant import presence
from helpouts.instant.models import InstantOffer, InstantRequest
from helpouts.payments.verify import violations
from helpouts.sessions.models import Session
from helpouts.site import put
from helpouts.testing.factories import make_customer, make_expert, make_listing
from helpouts.testing.site import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PASSWORD = "four words make sense 42"
RING = 6


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site on which a request rings for six seconds only."""
    with serving(tmp_path_factory.mktemp("now")) as made:
        with made.runtime().database.write() as db:
            put(db, "ring_seconds", RING, SYSTEM)
        yield made


class Person:
    """Somebody with an account, and any number of devices."""

    def __init__(self, chromium, site, user) -> None:
        self.chromium, self.site, self.user = chromium, site, user
        self.pages: list[Page] = []

    def device(self, path: str = "/account") -> Page:
        """One more browser, signed in."""
        context = self.chromium.new_context(locale="en-GB", permissions=["camera", "microphone"])
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.script_errors = []
        page.on("pageerror", lambda error: page.script_errors.append(str(error)))
        page.goto(f"{self.site.url}/login")
        page.fill("[name=email]", self.user.email)
        page.fill("[name=password]", PASSWORD)
        page.locator("main form button[type=submit]").last.click()
        expect(page.get_by_role("button", name="Sign out")).to_be_attached()
        page.goto(f"{self.site.url}{path}")
        self.pages.append(page)
        return page

    def close(self) -> None:
        """Leave; no script has failed."""
        for page in self.pages:
            assert page.script_errors == []
            page.context.close()


@pytest.fixture
def people(chromium, site):
    """Makes people; they leave at the end, experts unavailable."""
    made: list[Person] = []

    def make(user) -> Person:
        made.append(Person(chromium, site, user))
        return made[-1]

    yield make
    for person in made:
        person.close()
    with site.runtime().database.write() as db:
        for person in made:
            if db.get_one(User, person.user.id).has_role("expert"):
                presence.turn(db, person.user.id, False)


def expert(site, name: str, **values):
    """(listing, user) of an expert with a password."""
    with site.runtime().database.write() as db:
        listing = make_listing(db, make_expert(db, name), title=f"Routers with {name.split()[0]}", **values)
        user = listing.expert.owner
        user.password = hash_password(PASSWORD)
        return listing, user


def customer(site, name: str):
    """A customer with money and a password."""
    with site.runtime().database.write() as db:
        user = make_customer(db, name)
        user.password = hash_password(PASSWORD)
        return user


def switch_on(page: Page) -> None:
    """Be available, and wait until the device is connected."""
    page.get_by_role("switch", name="Available now").click()
    expect(page.get_by_role("switch", name="Available now")).to_be_checked()
    expect(page.locator("#desk[data-connected]")).to_be_attached()


def ask(page: Page, site, query: str, **choices) -> None:
    """Fill the form of a request, and send it."""
    page.goto(f"{site.url}/now?{query}")
    for box in page.locator("form.form select").all():
        if not box.input_value():
            box.select_option(index=1)
    for box in page.locator("form.form textarea, form.form input[type=text]").all():
        box.fill("It blinks red.")
    if choices.get("others"):
        page.check("[name=others]")
    page.locator("form.form button[type=submit]").click()


def until(page: Page, condition, seconds: float = 20, what: str = "never true"):
    """Wait for something while the browsers go on."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, what
        page.wait_for_timeout(100)
    return found


def rows(site, query):
    """What the database says."""
    with site.runtime().database.read() as db:
        found = list(db.scalars(query).unique())
        db.expunge_all()
        return found


def accessible(page: Page) -> None:
    """Axe finds nothing on the page as it is at this moment."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found] == []


def dialog(page: Page):
    """What rings."""
    return page.get_by_role("dialog")


def test_the_second_expert_answers_and_both_are_led_into_the_room(site, people):
    anna_listing, anna_user = expert(site, "Anna Adler")
    _ben_listing, ben_user = expert(site, "Ben Bauer")
    anna, ben, clara = people(anna_user), people(ben_user), people(customer(site, "Clara Berg"))
    desk, phone, bens = anna.device(), anna.device(), ben.device()
    switch_on(desk)
    phone.reload()
    expect(phone.locator("#desk[data-connected]")).to_be_attached()
    switch_on(bens)
    hers = clara.device()
    ask(hers, site, f"listing={anna_listing.slug}", others=True)
    expect(hers.get_by_role("heading", name="It is ringing at Anna Adler")).to_be_visible()
    for page in (desk, phone):  # every device of the first, and nobody else
        expect(dialog(page)).to_be_visible()
        expect(dialog(page).get_by_role("heading", name="Clara asks for your help")).to_be_focused()
    expect(dialog(bens)).to_be_hidden()
    accessible(desk)
    accessible(hers)
    # Nobody answers: the first stops, the second rings.
    expect(dialog(bens)).to_be_visible(timeout=(RING + 5) * 1000)
    for page in (desk, phone):
        expect(dialog(page)).to_be_hidden()
    expect(hers.get_by_role("heading", name="It is ringing at Ben Bauer")).to_be_visible()
    until(bens, lambda: "Help wanted" in bens.title(), 5, "the title does not flash")
    dialog(bens).get_by_role("button", name="Accept").click()
    for page in (bens, hers):
        expect(page).to_have_url(re.compile("/room/"), timeout=15_000)
    [booking] = rows(site, select(Booking).where(Booking.customer_id == clara.user.id))
    assert (booking.state, booking.host_id, booking.kind) == ("confirmed", ben_user.id, "instant")
    states = rows(site, select(InstantOffer).join(InstantRequest).where(InstantRequest.customer_id == clara.user.id))
    assert sorted(offer.state for offer in states) == ["accepted", "missed"]


def test_the_first_device_that_answers_wins_and_the_other_stops(site, people):
    listing, user = expert(site, "Dora Dietz", pricing="free", price_minor=0)
    dora, carl = people(user), people(customer(site, "Carl Cramer"))
    desk, phone = dora.device(), dora.device()
    switch_on(desk)
    phone.reload()
    expect(phone.locator("#desk[data-connected]")).to_be_attached()
    his = carl.device()
    ask(his, site, f"listing={listing.slug}")
    for page in (desk, phone):
        expect(dialog(page)).to_be_visible()
    phone.keyboard.press("Escape")  # is no answer
    expect(dialog(phone)).to_be_visible()
    dialog(phone).get_by_role("button", name="Accept").click()
    expect(dialog(desk)).to_be_hidden(timeout=3000)
    expect(phone).to_have_url(re.compile("/room/"))
    expect(his).to_have_url(re.compile("/room/"))
    assert "/room/" not in desk.url


def end_session_of(site, user_id: int) -> None:
    """The running session of an expert ends."""
    from helpouts.sessions import service

    with site.runtime().database.write() as db:
        room = db.scalars(
            select(Session).join(Booking).where(Booking.host_id == user_id, Session.state != "ended")
        ).one()
        service.end(db, room, "expert", SYSTEM)


def test_a_line_of_three_moves_by_itself_can_be_left_and_survives_a_reload(site, people):
    listing, user = expert(site, "Emil Ernst", price_minor=1500)
    emil = people(user)
    his = emil.device()
    switch_on(his)
    names = ("Frida Falk", "Gerd Gans", "Hanna Hahn", "Ivo Igel")
    crowd = [people(customer(site, name)) for name in names]
    pages = []
    for person in crowd:
        page = person.device()
        ask(page, site, f"listing={listing.slug}")
        pages.append(page)
        if len(pages) == 1:
            dialog(his).get_by_role("button", name="Accept").click()
            expect(page).to_have_url(re.compile("/room/"))
    _in_session, second, third, fourth = pages
    expect(second.get_by_role("heading", name="You are next")).to_be_visible()
    expect(second.get_by_text("at most, often less")).to_be_visible()
    expect(third.get_by_role("heading", name="You are number 2 in the line")).to_be_visible()
    expect(fourth.get_by_role("heading", name="You are number 3 in the line")).to_be_visible()
    accessible(fourth)
    fourth.reload()
    expect(fourth.get_by_role("heading", name="You are number 3 in the line")).to_be_visible()
    third.get_by_role("button", name="Leave the line").click()
    expect(third.get_by_role("heading", name="You have withdrawn your request")).to_be_visible()
    expect(fourth.get_by_role("heading", name="You are number 2 in the line")).to_be_visible(timeout=10_000)
    # The expert leaves the room: the first in the line rings, wherever the expert is on the site.
    end_session_of(site, user.id)
    his.goto(f"{site.url}/account")
    expect(dialog(his)).to_be_visible(timeout=10_000)
    expect(second.get_by_role("heading", name="It is ringing at Emil Ernst")).to_be_visible()
    expect(fourth.get_by_role("heading", name="You are next")).to_be_visible(timeout=10_000)
    dialog(his).get_by_role("button", name="Accept").click()
    expect(second).to_have_url(re.compile("/room/"))
    end_session_of(site, user.id)
    his.goto(f"{site.url}/account")
    dialog(his).get_by_role("button", name="Not now").click(timeout=15_000)
    expect(fourth.get_by_role("heading", name="Nobody could answer right now")).to_be_visible()
    with site.runtime().database.read() as db:
        assert violations(db) == ()


def test_a_ring_survives_the_death_of_the_live_process(site, people):
    with site.runtime().database.write() as db:
        put(db, "ring_seconds", 40, SYSTEM)
    listing, user = expert(site, "Karla Kunz")
    karla, lars = people(user), people(customer(site, "Lars Lang"))
    hers, his = karla.device(), lars.device()
    switch_on(hers)
    ask(his, site, f"listing={listing.slug}")
    expect(dialog(hers)).to_be_visible()
    site.kill("live")
    hers.reload()  # a page that knows nothing of the ring
    site.wait_until_ready(30)
    expect(dialog(hers)).to_be_visible(timeout=20_000)
    dialog(hers).get_by_role("button", name="Accept").click()
    for page in (hers, his):
        expect(page).to_have_url(re.compile("/room/"), timeout=20_000)
    with site.runtime().database.write() as db:
        put(db, "ring_seconds", RING, SYSTEM)
    assert len(rows(site, select(InstantOffer).where(InstantOffer.user_id == user.id))) == 1


def test_without_money_it_is_said_before_anything_rings(site, people):
    listing, user = expert(site, "Mara Maus", price_minor=99_999_00)
    mara, nils = people(user), people(customer(site, "Nils Nolte"))
    hers, his = mara.device(), nils.device()
    switch_on(hers)
    his.goto(f"{site.url}/now?listing={listing.slug}")
    expect(his.get_by_text("is missing in your wallet")).to_be_visible()
    ask_field = f"category={listing.category}"
    his.goto(f"{site.url}/now?{ask_field}")
    expect(his.get_by_role("heading", name="Help right now")).to_be_visible()
    ask(his, site, ask_field)
    expect(his.get_by_text("Please top it up")).to_be_visible()
    expect(dialog(hers)).to_be_hidden()
    assert rows(site, select(InstantOffer).where(InstantOffer.user_id == user.id)) == []


def test_the_switch_of_an_expert_whose_tab_is_closed_lapses(site, people):
    listing, user = expert(site, "Olga Otto")
    olga = people(user)
    page = olga.device()
    switch_on(page)
    page.goto("about:blank")
    query = presence.available_users(clock.now() + presence.GOODBYE + timedelta(seconds=5))
    until(page, lambda: user.id not in rows(site, query), 10, "still available")
    assert listing.expert_id
