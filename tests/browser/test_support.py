"""The customer asks an operator in, who enters from the console, writes, is seen by both, and leaves."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from helpouts.accounts.passwords import hash_password
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock
from helpouts.sessions.support_models import SupportRequest
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user

from .test_room_tools import PASSWORD, accessible, enter, more, seen

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def people(site):
    """A session that has begun, and an operator."""
    with site.runtime().database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        length = booking.ends_at - booking.starts_at
        booking.starts_at = clock.now() - timedelta(minutes=5)
        booking.ends_at = booking.starts_at + length
        operator = make_user(db, "Olivia Ops", "support")
        for user in (booking.host, booking.customer, operator):
            user.password = hash_password(PASSWORD)
        db.flush()
        db.refresh(booking)
        db.expunge_all()
        return booking, operator


def console(chromium, site, operator) -> Page:
    page = chromium.new_context(locale="en-GB").new_page()
    page.context.set_default_timeout(20_000)
    page.script_errors = []
    page.on("pageerror", lambda error: page.script_errors.append(str(error)))
    page.on("console", lambda line: "Security Policy" in line.text and page.script_errors.append(line.text))
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", operator.email)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").last.click()
    expect(page).not_to_have_url(re.compile("/login"))
    return page


def test_an_operator_is_asked_in_writes_and_leaves(site, people, chromium, tmp_path):
    booking, operator = people
    expert = enter(chromium, site, booking, booking.host)
    customer = enter(chromium, site, booking, booking.customer, viewport={"width": 390, "height": 844})
    expect(expert.locator("#room")).to_have_attribute("data-peer", "true")
    expert.click('[data-control="chat"]')
    expert.fill("#chat-text", "between the two of us")
    expert.keyboard.press("Enter")

    # asked, with keys alone
    more(customer, "support")
    expect(customer.locator("#support-reason")).to_be_focused()
    accessible(customer)
    seen(customer, "ask-phone", tmp_path)
    customer.keyboard.type("We do not agree on the price.")
    customer.keyboard.press("Tab")
    customer.keyboard.press("Enter")
    expect(customer.locator("[data-support]")).to_contain_text("An operator is asked in.")
    for where in ("[data-support]", "[data-support-said]", ".chat__line--notice"):
        expect(expert.locator(where)).to_contain_text("has asked an operator in: We do not agree on the price.")
    expect(expert.locator("[data-support] button")).to_have_count(0)
    seen(customer, "asked-phone", tmp_path)
    seen(expert, "asked", tmp_path)

    # taken in the console
    page = console(chromium, site, operator)
    page.goto(f"{site.url}/console/rooms/")
    page.get_by_role("link", name="1 session asks for an operator").click()
    seen(page, "console-calls", tmp_path)
    page.get_by_role("link", name="We do not agree on the price.").click()
    accessible(page)
    seen(page, "console-call", tmp_path)
    page.get_by_role("button", name="Enter the room").click()
    expect(page.locator("[data-status]")).to_have_text("You are in the room. Both see your name.")
    for person in (booking.host, booking.customer):
        expect(page.locator(f'[data-person="{person.id}"]')).to_contain_text("connected")
    expect(page.locator(".chat__log")).not_to_contain_text("between the two of us")
    for other in (expert, customer):
        for where in ("[data-support]", "[data-support-said]"):
            expect(other.locator(where)).to_contain_text("Operator Olivia Ops is in the room and reads the chat.")
        expect(other.get_by_role("button", name="Ask to leave")).to_be_visible()

    # both see what the operator writes
    page.fill("#chat-text", "Hello, how can I help?")
    page.keyboard.press("Enter")
    expect(expert.locator(".chat__line", has_text="Hello, how can I help?")).to_contain_text("Operator Olivia Ops")
    customer.click('[data-control="chat"]')
    expect(customer.locator(".chat__line", has_text="Hello, how can I help?")).to_be_visible()
    customer.fill("#chat-text", "It was to be for free.")
    customer.keyboard.press("Enter")
    expect(page.locator(".chat__log")).to_contain_text("It was to be for free.")
    expert.click('[data-control="mic"]')
    expect(page.locator(f'[data-person="{booking.host_id}"]')).to_contain_text("microphone off")
    for one in (page, expert, customer):
        accessible(one)
    seen(page, "operator", tmp_path)
    seen(expert, "here", tmp_path)
    seen(customer, "here-phone", tmp_path)
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=tmp_path / "operator-phone.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})

    # a reload is no leaving
    page.reload()
    expect(page.locator(".chat__log")).to_contain_text("It was to be for free.")
    expect(expert.locator("[data-support]")).to_contain_text("is in the room")

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Leave the room").click()
    expect(page.locator("[data-status]")).to_have_text("You are not in the room any more.")
    expect(page.get_by_role("link", name="Back")).to_be_focused()
    for other in (expert, customer):
        expect(other.locator("[data-support]")).to_be_hidden()
        expect(other.locator("[data-status]")).to_have_text("The operator is not in the room any more.")
    page.get_by_role("link", name="Back").click()
    expect(page).to_have_url(re.compile("/console/calls/details/"))
    seen(page, "console-over", tmp_path)

    expert.once("dialog", lambda dialog: dialog.accept())
    expert.click('[data-control="end"]')
    expect(expert).to_have_url(re.compile("/bookings/"))
    expect(expert.locator("main")).to_contain_text("Operator Olivia Ops has left the room.")
    expert.screenshot(path=tmp_path / "history.png", full_page=True)
    with site.runtime().database.read() as db:
        assert db.scalars(select(SupportRequest.state)).all() == ["closed"]
        actions = db.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert [one for one in actions if one.startswith("support.")] == [
            "support.ask",
            "support.take",
            "support.enter",
            "support.leave",
        ]
    for one in (page, expert, customer):
        assert one.script_errors == []
        one.context.close()
