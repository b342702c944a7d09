"""In a real browser: the page "Notices", the service worker, a message, a click on it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Worker, expect, sync_playwright

from helpouts.accounts.service import create_user
from helpouts.testing.plugin import require
from helpouts.testing.site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PASSWORD = "seven purple llamas"
DENY = "Object.defineProperty(Notification, 'permission', {get: () => 'denied'})"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("webpush")) as made:
        with made.runtime().database.write() as db:
            create_user(db, "clara@example.org", PASSWORD, "Clara Berg", confirmed=True)
        yield made


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if shutil.which("chromium") is None:
        require("Chromium", "apt-get install chromium")
    with sync_playwright() as made:
        yield made


@pytest.fixture
def page(playwright: Playwright, site: Site, tmp_path: Path) -> Iterator[Page]:
    """Clara's browser, with a profile of its own: service workers and permissions are kept in it."""
    context = playwright.chromium.launch_persistent_context(
        str(tmp_path / "profile"),
        executable_path=shutil.which("chromium"),
        args=["--no-sandbox"],
        permissions=["notifications"],
        locale="en-GB",
    )
    page = context.pages[0]
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", "clara@example.org")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.goto(f"{site.url}/account/notices")
    yield page
    context.close()


def switch_on(page: Page) -> Worker:
    """Press the button, and wait until the service worker is active."""
    with page.context.expect_event("serviceworker") as started:
        page.get_by_role("button", name="Switch on in this browser").click()
    worker: Worker = started.value
    deadline = time.monotonic() + 10
    while worker.evaluate("self.registration.active?.state") != "activated" and time.monotonic() < deadline:
        page.wait_for_timeout(50)  # what comes for a worker that is not active yet is dropped
    return worker


SHOWN = """async () => (await self.registration.getNotifications())
  .map(({title, body, tag, lang, requireInteraction, data}) => ({title, body, tag, lang, requireInteraction, data}))"""


def deliver(page: Page, worker: Worker, origin: str, message: Any) -> list[dict[str, Any]]:
    """Let a message come as if the push service had sent it; what is shown then.

    Chromium drops a message for a worker that is just starting or stopping, so it is sent again; it replaces itself.
    """
    devtools = page.context.new_cdp_session(page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(row["registrationId"] for row in event["registrations"] if not row["isDeleted"]),
    )
    devtools.send("ServiceWorker.enable")
    data = message if isinstance(message, str) else json.dumps(message)
    deadline = time.monotonic() + 20
    shown: list[dict[str, Any]] = []
    while not shown and time.monotonic() < deadline:
        if found:
            sent = {"origin": origin, "registrationId": found[-1], "data": data}
            devtools.send("ServiceWorker.deliverPushMessage", sent)
        page.wait_for_timeout(500)
        shown = worker.evaluate(SHOWN)
    return shown


def test_a_message_is_shown_and_a_click_brings_its_page_to_the_front(page: Page, site: Site) -> None:
    worker = switch_on(page)
    assert worker.url == f"{site.url}/x/notify_webpush/static/worker.js"
    url = f"{site.url}/account/security"
    message = {"title": "Jonas has time", "body": "Now.", "url": url, "tag": "t", "urgent": True, "lang": "en"}
    (notice,) = deliver(page, worker, site.url, message)
    assert notice == {
        "title": "Jonas has time",
        "body": "Now.",
        "tag": "t",
        "lang": "en",
        "requireInteraction": True,
        "data": {"url": url},
    }
    opened = worker.evaluate(
        """async () => {
          const opened = [];
          self.clients.openWindow = async (url) => { opened.push(url); return null; };
          const [notification] = await self.registration.getNotifications();
          const done = new Promise((resolve) => {
            const event = new NotificationEvent("notificationclick", {notification});
            event.waitUntil = (promise) => resolve(promise);
            self.dispatchEvent(event);
          });
          await done;
          return [opened, (await self.registration.getNotifications()).length];
        }"""
    )
    assert opened == [[url], 0]


def test_a_page_of_another_site_is_not_opened(page: Page, site: Site) -> None:
    worker = switch_on(page)
    assert deliver(page, worker, site.url, {"title": "Win", "url": "https://elsewhere.example/"})
    opened = worker.evaluate(
        """async () => {
          const opened = [];
          self.clients.openWindow = async (url) => { opened.push(url); return null; };
          const [notification] = await self.registration.getNotifications();
          const event = new NotificationEvent("notificationclick", {notification});
          event.waitUntil = () => {};
          self.dispatchEvent(event);
          await new Promise((resolve) => setTimeout(resolve, 300));
          return opened;
        }"""
    )
    assert opened == []


def test_a_message_without_sense_is_shown_under_the_sites_name(page: Page, site: Site) -> None:
    worker = switch_on(page)
    assert [notice["title"] for notice in deliver(page, worker, site.url, "no json")] == ["127.0.0.1"]


def test_a_push_service_that_cannot_be_reached_is_told_in_one_sentence(page: Page) -> None:
    """Headless Chromium has no push service, and waits for it for ever."""
    switch_on(page)
    told = page.get_by_role("alert").filter(has_text="the browser's push service cannot be reached")
    expect(told).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Switch on in this browser")).to_be_enabled()


def test_who_has_forbidden_notices_is_told_where_to_allow_them(page: Page) -> None:
    page.add_init_script(DENY)
    page.reload()
    expect(page.get_by_text("You have forbidden notices in this browser.")).to_be_visible()
    expect(page.get_by_role("button", name="Switch on in this browser")).to_be_hidden()
