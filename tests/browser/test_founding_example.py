"""The founding example, from the interest form to the review, with real processes, browsers, mail and media."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from helpouts.accounts.service import create_user
from helpouts.audit.actor import SYSTEM
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.payments import ledger
from helpouts.plugins.service import write_settings
from helpouts.sessions.service import session_of
from helpouts.testing.site import body_of, link_in, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
expect.set_options(timeout=15_000)
PASSWORD = "four words make sense 42"
OPERATOR, EXPERT, CUSTOMER = "olivia@example.org", "jonas@example.org", "clara@example.org"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request, tmp_path_factory):
    """A fresh site with an operator and test money allowed."""
    url, name = "", f"founding_{request.param}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create(name)
    with serving(tmp_path_factory.mktemp(name), database_url=url) as made:
        with made.runtime().database.write() as db:
            create_user(db, OPERATOR, PASSWORD, "Olivia", roles=["admin"], confirmed=True)
            write_settings(db, "payments_wallet", {"test_topup": True}, SYSTEM)
        yield made


def person(chromium, site, **options) -> Page:
    """A browser of somebody, whose script errors fail the test."""
    context = chromium.new_context(
        locale="en-GB", timezone_id="Europe/Berlin", permissions=["camera", "microphone"], **options
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.script_errors = []
    page.on("pageerror", lambda error: page.script_errors.append(str(error)))
    page.on(
        "console",
        lambda line: (
            page.script_errors.append(line.text)
            if line.type == "error" and "Content Security Policy" in line.text
            else None
        ),
    )
    page.goto(site.url)
    return page


def submit(page: Page) -> None:
    """Press the button of the page's own form."""
    page.locator("main form button[type=submit]").last.click()


def sign_in(page: Page, site, email: str) -> None:
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    submit(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_attached()


def sign_up(page: Page, site, email: str, name: str) -> None:
    """Register, open the link of the mail, sign in."""
    page.goto(f"{site.url}/register")
    page.fill("[name=name]", name)
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    for box in page.locator("main form input[type=checkbox]").all():
        box.check()
    submit(page)
    page.goto(link_in(site.mailbox.wait_for(email, "onfirm"), "/confirm/"))
    if page.locator("main form button[type=submit]").count():
        submit(page)
    sign_in(page, site, email)


def refused(page: Page, text: str) -> None:
    """The page says so next to the field."""
    expect(page.locator(".field__error, .alert--danger").filter(has_text=text).first).to_be_visible()


def act(operator: Page, name: str, text: str = "") -> None:
    """One of the actions of the console's page."""
    action = operator.locator("details.action").filter(has=operator.locator("summary", has_text=name)).first
    if action.get_attribute("open") is None:
        action.locator("summary").click()
    if text:
        action.locator("textarea").fill(text)
    action.locator("button[type=submit]").click()


def apply_and_invite(visitor: Page, operator: Page, site) -> str:
    """Step 1: interest form, answer, invitation; the code that came by mail."""
    visitor.goto(f"{site.url}/become-an-expert?category=it")
    visitor.fill("[name=name]", "Jonas Weber")
    visitor.fill("[name=email]", EXPERT)
    visitor.fill("[name=experience]", "Eleven years in the support team of an internet provider. " * 3)
    submit(visitor)
    refused(visitor, "18")
    visitor.check("[name=is_adult]")
    submit(visitor)
    link_in(site.mailbox.wait_for(EXPERT, ""), "/applications/")

    sign_in(operator, site, OPERATOR)
    operator.goto(f"{site.url}/console/applications/")
    operator.get_by_role("link", name="Jonas Weber").first.click()
    expect(operator.locator("body")).to_contain_text("profile")
    act(operator, "Write back", "Thank you. When did you last set up a mesh network?")
    expect(operator.locator("body")).to_contain_text("In contact")
    act(operator, "Invite")
    mail = site.mailbox.wait_for(EXPERT, "nvit")
    return re.search(r"HELP(-[A-Z0-9]{4})+", body_of(mail)).group()


def become_expert(expert: Page, site, code: str) -> None:
    """Step 2: sign up, and only the right code makes an expert."""
    sign_up(expert, site, EXPERT, "Jonas Weber")
    for wrong in ("", "HELP-AAAA-BBBB-CCCC-DDDD"):
        expert.goto(f"{site.url}/join")
        expert.fill("[name=code]", wrong)
        submit(expert)
        expect(expert.locator(".field__error").first).to_be_visible()
    expert.goto(f"{site.url}/join")
    expert.fill("[name=code]", code)
    submit(expert)
    expert.fill("[name=headline]", "Home networks that simply work")
    expert.fill(
        "[name=bio]", "Eleven years in the support team of an internet provider; I explain without jargon. " * 2
    )
    if expert.locator("[name=zone]").count():
        expert.select_option("[name=zone]", "Europe/Berlin")
    for box in expert.locator("[name=languages]").all()[:2]:
        box.check()
    submit(expert)
    refused(expert, "18")
    expert.check("[name=is_adult]")
    submit(expert)
    expect(expert).to_have_url(re.compile("/expert"))
    assert expert.goto(f"{site.url}/expert").ok


def write_listing(expert: Page, operator: Page, site, title: str, pricing: str, price: str) -> None:
    """Step 3, second half: the listing, sent in and approved."""
    expert.goto(f"{site.url}/expert/listings/new")
    if expert.locator("[name=title]").count() == 0:
        expert.get_by_role("link", name="Information technology").first.click()
    expert.fill("[name=title]", title)
    expert.fill("[name=summary]", "From the box to a safe network in every room.")
    expert.select_option("[name=subcategory]", index=1)
    expert.fill("textarea[name=description]", f"{title}: we plug it in together and choose a good password. " * 2)
    expert.locator("[name=languages]").first.check()
    expert.check(f"[name=pricing][value={pricing}]")
    expert.fill("[name=price]", price)
    expert.select_option("[name=length_minutes]", "30")
    expert.locator("[name=cancellation_policy]").first.check()
    fill_questions(expert, "field_")
    submit(expert)
    expert.goto(f"{site.url}/expert")
    expert.get_by_role("button", name="Hand in for review").first.click()
    expect(expert.locator("main")).to_contain_text("In review")
    operator.goto(f"{site.url}/console/listings/")
    operator.get_by_role("link", name=title).first.click()
    act(operator, "Approve")
    expert.goto(f"{site.url}/search?q={title.replace(' ', '+')}")
    expect(expert.get_by_role("link", name=title)).to_be_visible()


def fill_questions(page: Page, prefix: str) -> None:
    """Answer what a category asks and requires."""
    for text in page.locator(f"input[type=text][name^={prefix}], textarea[name^={prefix}]").all():
        text.fill("AVM 7590, new")
    for choice in page.locator(f"select[name^={prefix}]").all():
        choice.select_option(index=1)
    names = {box.get_attribute("name") for box in page.locator(f"input[type=checkbox][name^={prefix}]").all()}
    names |= {box.get_attribute("name") for box in page.locator(f"input[type=radio][name^={prefix}]").all()}
    for name in names:
        page.locator(f"input[name={name}]").first.check()


def set_hours_and_wallet(expert: Page, site) -> None:
    """Step 3, first half: around the clock, so that the test works at any hour; and the wallet."""
    expert.goto(f"{site.url}/expert/hours")
    for day in range(7):
        expert.locator(f"[name=day{day}-from]").first.fill("00:00")
        expert.locator(f"[name=day{day}-to]").first.fill("00:00")
    expert.select_option("[name=minimum_notice_minutes]", index=0)
    submit(expert)
    expect(expert.locator(".field--bad")).to_have_count(0)
    expert.goto(f"{site.url}/x/payments_wallet/")
    form = expert.locator("form[action*='/earn']")
    form.locator("[name$=name]").fill("Jonas Weber")
    form.locator("[name$=country]").select_option("DE")
    form.locator("[name$=terms]").check()
    form.locator("button[type=submit]").click()
    expect(expert.locator(".field--bad")).to_have_count(0)


def book(customer: Page, site, title: str, *, pay: bool) -> str:
    """Step 4: find, choose, answer, top up, book; the booking's public id."""
    customer.goto(f"{site.url}/search?q={title.split()[-1]}")
    customer.get_by_role("link", name=title).click()
    expect(customer.get_by_label("Times are shown for")).to_have_value("Europe/Berlin")
    customer.locator("label:has(input[name=start]):visible").first.click()
    customer.get_by_role("button", name="Book this time").first.click()
    submit(customer)
    refused(customer, "answer")
    fill_questions(customer, "intake_")
    submit(customer)
    if pay:
        expect(customer).to_have_url(re.compile("/checkout"))
        if customer.get_by_role("link", name="Set up the wallet").count():
            customer.get_by_role("link", name="Set up the wallet").click()
            customer.locator("form[action*='/connect'] [name$=terms]").check()
            customer.locator("form[action*='/connect'] button[type=submit]").click()
            customer.get_by_role("link", name="Top up the wallet").click()
            customer.locator("form[action*='/top-up'] [name$=amount]").fill("100")
            customer.locator("form[action*='/top-up'] button[type=submit]").click()
            expect(customer).to_have_url(re.compile("/checkout"))
            expect(customer.locator("main")).to_contain_text("100.00")
        customer.get_by_role("button", name=re.compile("Pay")).click()
    expect(customer).to_have_url(re.compile(r"/bookings/[\w-]+$"))
    expect(customer.locator("main")).to_contain_text("Confirmed")
    return customer.url.rsplit("/", 1)[1]


def balances(site, *codes: str) -> list[int]:
    with site.runtime().database.read() as db:
        return [ledger.balance(db, code, "EUR") for code in codes]


def booking_of(site, public_id: str) -> Booking:
    with site.runtime().database.read() as db:
        booking = db.scalars(select(Booking).where(Booking.public_id == public_id)).one()
        db.expunge_all()
        return booking


def make_it_now(site, public_id: str) -> None:
    """The time has come: the booking begins at this minute."""
    now = clock.now()
    with site.runtime().database.write() as db:
        db.execute(
            update(Booking)
            .where(Booking.public_id == public_id)
            .values(starts_at=now, ends_at=now + timedelta(minutes=30))
        )


def enter(page: Page, site, public_id: str) -> None:
    """Step 5: from the booking's page through the device check into the room."""
    page.goto(f"{site.url}/bookings/{public_id}")
    page.get_by_role("link", name="Enter the room").click()
    expect(page.locator("[data-join]")).to_be_enabled()
    page.click("[data-join]")
    expect(page.locator("#room")).to_have_attribute("data-stage", "call")


FRAMES = "() => document.querySelector('[data-remote]').getVideoPlaybackQuality().totalVideoFrames"
#: Loudness of the other side's sound over half a second, measured with Web Audio.
SOUND = """async () => {
  const context = new AudioContext();
  const stream = document.querySelector('[data-remote]').srcObject;
  if (!stream || !stream.getAudioTracks().length) return 0;
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0;
  for (let i = 0; i < 30; i++) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getFloatTimeDomainData(samples);
    for (const value of samples) loudest = Math.max(loudest, Math.abs(value));
  }
  await context.close();
  return loudest;
}"""


def wait_until(page: Page, expression: str, seconds: float = 30) -> None:
    """Wait for a JavaScript expression to be true.  (Playwright's own waiting needs eval, which our CSP forbids.)"""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(100)


def sees_and_hears(page: Page) -> None:
    """Decoded frames of the other side move, and its sound is not silence."""
    wait_until(page, f"({FRAMES})() > 5")
    before = page.evaluate(FRAMES)
    wait_until(page, f"({FRAMES})() > {before + 10}")
    wait_until(page, "document.querySelector('[data-remote]').videoWidth >= 320")
    for _ in range(4):
        if page.evaluate(SOUND) > 0.01:
            return
    raise AssertionError("no sound of the other side arrives")


def say(page: Page, text: str) -> None:
    if page.locator("#room").get_attribute("data-chat") != "open":
        page.click('[data-control="chat"]')
    page.fill("#chat-text", text)
    page.press("#chat-text", "Enter")


def end(expert: Page) -> None:
    expert.once("dialog", lambda dialog: dialog.accept())
    expert.click('[data-control="end"]')


def test_the_founding_example(site, chromium):
    operator, expert, customer = (person(chromium, site) for _ in range(3))
    code = apply_and_invite(expert, operator, site)
    become_expert(expert, site, code)
    expert.goto(f"{site.url}/join")
    expert.fill("[name=code]", code)
    submit(expert)
    refused(expert, "used")
    set_hours_and_wallet(expert, site)
    write_listing(expert, operator, site, "Set up your wireless router", "fixed", "25.00")

    sign_up(customer, site, CUSTOMER, "Clara Berg")
    public_id = book(customer, site, "Set up your wireless router", pay=True)
    booking = booking_of(site, public_id)
    wallet, escrow = f"wallet:{booking.customer_id}", f"escrow:{booking.id}"
    earned = f"earn_pending:{booking.host_id}"
    assert balances(site, wallet, escrow) == [7500, 2500]
    for address in (CUSTOMER, EXPERT):
        mail = site.mailbox.wait_for(address, "Booked")
        invitation = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
        assert invitation.get_param("method") == "REQUEST"
        assert "METHOD:REQUEST" in invitation.get_content()

    make_it_now(site, public_id)
    enter(customer, site, public_id)
    expect(customer.locator("[data-status]")).to_contain_text("Waiting for Jonas Weber")
    enter(expert, site, public_id)
    for page in (expert, customer):
        sees_and_hears(page)
    say(customer, "The lamp <b>blinks</b> red.")
    expect(expert.locator("[data-unread]")).to_have_text("1")
    say(expert, "Hold the button for three seconds.")
    expect(customer.locator(".chat__line").last).to_contain_text("three seconds")
    expect(expert.locator(".chat__line").first).to_contain_text("The lamp <b>blinks</b> red.")
    expect(expert.locator("[data-meter-time]")).not_to_have_text("00:00")

    customer.reload()
    expect(customer.locator("[data-join]")).to_be_enabled()
    customer.click("[data-join]")
    for page in (expert, customer):
        sees_and_hears(page)
    expect(customer.locator(".chat__line")).to_have_count(2)

    site.run("plugins", "disable", "category_it")
    visitor = person(chromium, site)
    visitor.goto(site.url)
    expect(visitor.get_by_role("link", name="Information technology")).to_have_count(0)
    assert visitor.goto(f"{site.url}/c/it").status == 404
    visitor.goto(f"{site.url}/l/set-up-your-wireless-router")
    expect(visitor.locator("main")).to_contain_text("paused")
    expect(visitor.get_by_role("button", name="Book this time")).to_have_count(0)
    sees_and_hears(expert)

    end(expert)
    for page in (expert, customer):
        expect(page).to_have_url(re.compile(f"/bookings/{public_id}"), timeout=15_000)
        expect(page.locator("main")).to_contain_text("Completed")
    assert balances(site, wallet, escrow, earned, "revenue:fee") == [7500, 0, 2000, 500]
    assert "The books balance" in site.run("ledger", "verify")
    expect(customer.locator("main")).to_contain_text("25.00")
    assert "25.00" in body_of(site.mailbox.wait_for(CUSTOMER, "Receipt"))
    assert "20.00" in body_of(site.mailbox.wait_for(EXPERT, "Done"))

    site.run("plugins", "enable", "category_it")
    customer.locator("label[for=stars-0]").click()
    customer.fill("[name=text]", "Everything works, even the television.")
    customer.get_by_role("button", name="Publish the review").click()
    visitor.goto(f"{site.url}/search?q=router")
    visitor.get_by_role("link", name="Set up your wireless router").click()
    expect(visitor.locator("main")).to_contain_text("even the television")

    write_listing(expert, operator, site, "Choose the right network cable", "free", "")
    free_id = book(customer, site, "Choose the right network cable", pay=False)
    make_it_now(site, free_id)
    meet_and_end(expert, customer, site, free_id)
    assert balances(site, wallet, earned, "revenue:fee") == [7500, 2000, 500]

    write_listing(expert, operator, site, "Repair a slow network together", "per_minute", "0.90")
    minutes_id = book(customer, site, "Repair a slow network together", pay=True)
    assert balances(site, wallet) == [7500 - 2700]
    make_it_now(site, minutes_id)
    meet_and_end(expert, customer, site, minutes_id, seconds=8)
    with site.runtime().database.read() as db:
        measured = session_of(db, booking_of(site, minutes_id)).connected_seconds
    price = round(90 * measured / 60)
    assert 7 <= measured <= 40
    assert balances(site, wallet)[0] == 7500 - price
    assert "The books balance" in site.run("ledger", "verify")
    assert [page.script_errors for page in (operator, expert, customer, visitor)] == [[], [], [], []]


def meet_and_end(expert: Page, customer: Page, site, public_id: str, seconds: int = 1) -> None:
    for page in (expert, customer):
        enter(page, site, public_id)
    for page in (expert, customer):
        wait_until(page, f"({FRAMES})() > 5")
    expert.wait_for_timeout(seconds * 1000)
    end(expert)
    for page in (expert, customer):
        expect(page.locator("main")).to_contain_text("Completed", timeout=15_000)
