"""What is sent to which browser, and what becomes of the answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpouts_notify_webpush import helpouts_health_checks, privacy, service
from helpouts_notify_webpush.channel import PushFailed, send
from helpouts_notify_webpush.models import Subscription
from push_service import Browser, PushService, sign_up
from sqlalchemy import select

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.jobs.worker import Worker
from helpouts.notices.service import notify
from helpouts.plugins.service import read_settings, write_settings
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_user
from helpouts.testing.notices import make_notice


@pytest.fixture
def person(runtime: Runtime) -> int:
    with runtime.database.write() as db:
        return make_user(db).id


def deliver(runtime: Runtime, person: int, **values: Any) -> None:
    effect = send(runtime, person, make_notice(**values))
    if effect is not None:
        with runtime.database.write() as db:
            effect(db)


def endpoints(runtime: Runtime, person: int) -> list[str]:
    with runtime.database.read() as db:
        return sorted(row.endpoint for row in service.browsers_of(db, person))


def test_a_ring_is_urgent_and_kept_for_a_minute_only(runtime: Runtime, push: PushService, person: int) -> None:
    clock.set(datetime(2026, 11, 24, tzinfo=UTC))
    sign_up(runtime, person, push.browser())
    with runtime.database.write() as db:
        notify(db, person, "ring", "Clara needs help", "Router", "/desk", urgent=True)
    Worker(runtime).drain()
    ((_, headers, _),) = push.requests
    assert (headers["TTL"], headers["Urgency"]) == ("60", "high")
    assert headers["Content-Encoding"] == "aes128gcm"
    assert headers["Authorization"].startswith("vapid t=")
    (message,) = push.messages()
    assert (message["title"], message["urgent"]) == ("Clara needs help", True)
    assert message["url"].endswith("/desk")


def test_notices_about_one_thing_replace_each_other(runtime: Runtime, push: PushService, person: int) -> None:
    sign_up(runtime, person, push.browser())
    for number, url in enumerate(("https://h.example/a", "https://h.example/a", "https://h.example/b")):
        deliver(runtime, person, key=f"n{number}", url=url)
    topics = [headers["Topic"] for _, headers, _ in push.requests]
    assert topics[0] == topics[1] != topics[2]
    assert all(len(topic) <= 32 for topic in topics), "RFC 8030, section 5.4"
    assert [headers["Urgency"] for _, headers, _ in push.requests] == ["normal"] * 3


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(runtime: Runtime, push: PushService, person: int, status: int) -> None:
    sign_up(runtime, person, push.browser("/push/one"))
    sign_up(runtime, person, push.browser("/push/two"))
    push.status["/push/one"] = status
    deliver(runtime, person)
    assert endpoints(runtime, person) == [f"{push.url}/push/two"]


@pytest.mark.parametrize("status", [400, 429, 500, 302])
def test_who_has_the_notice_does_not_get_it_again_when_another_browser_fails(
    runtime: Runtime, push: PushService, person: int, status: int
) -> None:
    sign_up(runtime, person, push.browser("/push/one"))
    sign_up(runtime, person, push.browser("/push/two"))
    push.status["/push/one"] = status
    with pytest.raises(PushFailed, match=f"answered {status}"):
        deliver(runtime, person)
    push.status.clear()
    deliver(runtime, person)
    assert [path for path, _, _ in push.requests] == ["/push/two", "/push/one"]


def test_a_service_that_cannot_be_reached_is_an_error(runtime: Runtime, push: PushService, person: int) -> None:
    sign_up(runtime, person, push.browser())
    push.stop()
    with pytest.raises(PushFailed, match="refused"):
        deliver(runtime, person)


def test_an_address_that_is_not_allowed_any_more_is_forgotten(runtime: Runtime, push: PushService, person: int) -> None:
    sign_up(runtime, person, push.browser())
    with runtime.database.write() as db:
        write_settings(db, "notify_webpush", {"allow_local": False}, SYSTEM)
    deliver(runtime, person)
    assert (push.requests, endpoints(runtime, person)) == ([], [])


def test_a_browser_belongs_to_who_signed_it_up_last(runtime: Runtime, push: PushService, person: int) -> None:
    browser = push.browser()
    sign_up(runtime, person, browser)
    with runtime.database.write() as db:
        other = make_user(db, "Otto Other").id
    sign_up(runtime, other, browser)
    assert (endpoints(runtime, person), endpoints(runtime, other)) == ([], [browser.endpoint])


def test_the_oldest_browser_makes_room(runtime: Runtime, push: PushService, person: int) -> None:
    for number in range(service.MOST + 1):
        sign_up(runtime, person, push.browser(f"/push/{number:02}"))
    assert endpoints(runtime, person) == [f"{push.url}/push/{number:02}" for number in range(1, service.MOST + 1)]


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", ""), ("AAAA", "AAAAAAAAAAAAAAAAAAAAAA"), ("not base64!", "x"), ("B" * 87, "AAAAAAAAAAAAAAAAAAAAAA")],
)
def test_keys_that_no_browser_has_are_refused(runtime: Runtime, person: int, p256dh: str, auth: str) -> None:
    with runtime.database.write() as db:
        with pytest.raises(HelpoutsError, match="keys"):
            service.subscribe(db, person, "https://push.example/x", p256dh, auth)
        assert not db.scalars(select(Subscription)).all()


def test_people_get_what_is_known_of_them_without_the_keys(runtime: Runtime, person: int) -> None:
    browser = Browser("https://push.example/x")
    keys = browser.subscription()["keys"]
    with runtime.database.write() as db:
        service.subscribe(db, person, browser.endpoint, **keys)
        known = str(privacy.export(db, person))
    assert browser.endpoint in known
    assert keys["auth"] not in known


def test_the_doctor_warns_while_the_guard_is_off(runtime: Runtime) -> None:
    (check,) = helpouts_health_checks()
    with runtime.database.write() as db:
        assert check.check(db, read_settings(db, "notify_webpush")) == []
        write_settings(db, "notify_webpush", {"allow_local": True}, SYSTEM)
        (problem,) = check.check(db, read_settings(db, "notify_webpush"))
    assert problem.severity == "warning"
    assert "local network" in str(problem.fix)


def test_an_expired_notice_would_not_be_kept_by_the_service(runtime: Runtime, push: PushService, person: int) -> None:
    sign_up(runtime, person, push.browser())
    deliver(runtime, person, expires_at=clock.now() - timedelta(minutes=1))
    assert push.requests[0][1]["TTL"] == "0"
