"""A session is recorded by two browsers, and a browser plays the film; with real processes and media."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from helpouts.accounts.passwords import hash_password
from helpouts.clock import clock
from helpouts.sessions.recording_models import Recording, RecordingAccess
from helpouts.sessions.service import session_of
from helpouts.storage import service as storage
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PASSWORD = "four words make sense 42"
PHONE = {"width": 390, "height": 844}
PLAYS = "video => video.readyState >= 2 && video.currentTime > 1 && video.videoWidth === 1280"
PICTURES = "video => video.getVideoPlaybackQuality().totalVideoFrames"


@pytest.fixture(scope="module")
def booked(site):
    """A session that has just begun: (booking's public id, room, expert's mail, customer's mail)."""
    with site.runtime().database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        for user in (booking.host, booking.customer):
            user.password = hash_password(PASSWORD)
        length = booking.ends_at - booking.starts_at
        booking.starts_at = clock.now() - timedelta(seconds=30)
        booking.ends_at = booking.starts_at + length
        db.flush()
        return booking.public_id, session_of(db, booking).room_id, booking.host.email, booking.customer.email


def person(chromium, site, email: str, **options) -> Page:
    context = chromium.new_context(locale="en-GB", permissions=["camera", "microphone"], **options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").last.click()
    expect(page).not_to_have_url(re.compile("/login"))
    return page


def enter(page: Page, site, room: str) -> None:
    page.goto(f"{site.url}/room/{room}")
    page.locator("[data-join]").click()
    expect(page.locator("#room")).to_have_attribute("data-stage", "call")


def accessible(page: Page) -> None:
    found = [violation["id"] for violation in Axe().run(page).response["violations"]]
    assert found == []


def recording_of(site) -> Recording:
    with site.runtime().database.read() as db:
        row = db.scalars(select(Recording)).one()
        db.expunge_all()
        return row


def test_two_browsers_record_and_one_plays_the_film(chromium, site, booked) -> None:
    public_id, room, expert_mail, customer_mail = booked
    expert = person(chromium, site, expert_mail)
    customer = person(chromium, site, customer_mail, viewport=PHONE)
    enter(expert, site, room)
    enter(customer, site, room)
    for page in (expert, customer):
        expect(page.locator("[data-rec-ask]")).to_be_visible()
        accessible(page)
    expert.get_by_label("I am 18 years old or older").check()
    expert.get_by_role("button", name="I agree to be recorded").click()
    expect(customer.locator("[data-rec-ask-title]")).to_have_text(re.compile("would like to record"))
    expect(customer.locator("[data-rec]")).to_be_hidden()
    customer.get_by_role("button", name="I agree to be recorded").click()
    expect(customer.locator("[data-rec]")).to_be_hidden()  # not without the age
    customer.get_by_label("I am 18 years old or older").check()
    customer.get_by_role("button", name="I agree to be recorded").click()
    for page in (expert, customer):
        expect(page.locator("[data-rec]")).to_be_visible()
        expect(page.locator("[data-rec-said]")).to_have_text("This session is being recorded.")
        accessible(page)
    expert.wait_for_timeout(8000)
    customer.get_by_role("button", name="Stop the recording").first.click()
    for page in (expert, customer):
        expect(page.locator("[data-rec]")).to_be_hidden()
    customer.get_by_role("button", name="Keep it").click()
    for page in (expert, customer):
        page.locator('[data-control="leave"]').click()
        page.wait_for_url(re.compile("/bookings/"))
    expect(customer.locator("#recordings")).to_be_visible()
    made(site, customer, public_id)
    watch(customer)
    accessible(customer)
    whole_file(site, customer)


def made(site, page: Page, public_id: str) -> None:
    """Wait until the booking's page offers the film."""
    for _ in range(60):
        page.goto(f"{site.url}/bookings/{public_id}")
        if page.get_by_role("link", name="Watch").count():
            break
        page.wait_for_timeout(1000)
    assert recording_of(site).state == "ready", (recording_of(site).error, site.log_text()[-2000:])
    page.get_by_role("link", name="Watch").click()


def watch(page: Page) -> None:
    """The player decodes pictures of both, and can go to another place."""
    video = page.locator("video.film")
    video.evaluate("video => { video.muted = true; return video.play(); }")
    page.wait_for_function(f"() => ({PLAYS})(document.querySelector('video.film'))")
    length = video.evaluate("video => video.duration")
    assert 6 <= length <= 12
    before = video.evaluate(PICTURES)
    video.evaluate("video => { video.currentTime = video.duration - 3; }")
    page.wait_for_function(f"() => ({PICTURES})(document.querySelector('video.film')) > {before} + 10")
    drawn = """video => {
      const canvas = new OffscreenCanvas(64, 36), pen = canvas.getContext("2d");
      pen.drawImage(video, 0, 0, 64, 36);
      const half = (x) => [...pen.getImageData(x, 8, 24, 20).data].filter((v, i) => i % 4 === 1 && v > 40).length;
      return [half(4), half(36)];
    }"""
    assert all(green > 240 for green in video.evaluate(drawn)), "half of each side at least is the green of its camera"


def whole_file(site, page: Page) -> None:
    """The download is the film, and is noted; strangers get nothing."""
    row = recording_of(site)
    film = f"{site.url}/recordings/{row.public_id}/film.webm"
    answer = page.request.get(f"{film}?download=1")
    assert (answer.status, answer.headers["content-type"]) == (200, "video/webm")
    assert answer.body() == b"".join(storage.load(site.runtime(), row.reference))
    part = page.request.get(film, headers={"Range": "bytes=10-19"})
    assert (part.status, part.headers["content-range"]) == (206, f"bytes 10-19/{row.size}")
    assert part.body() == answer.body()[10:20]
    with site.runtime().database.read() as db:
        assert sorted(db.scalars(select(RecordingAccess.kind))) == ["download", "watch"]
