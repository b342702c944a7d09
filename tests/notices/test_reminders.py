"""Both people are reminded, once, as long before as they want, of the booking as it is at that moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from helpouts import site as settings
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings.models import Booking
from helpouts.bookings.service import cancel
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.jobs.models import Job
from helpouts.jobs.service import enqueue
from helpouts.jobs.worker import Worker
from helpouts.notices import reminders
from helpouts.notices.choices import choose
from helpouts.notices.models import ReminderMark
from helpouts.notices.reminders import choose_leads, leads_of
from helpouts.notices.when import day_and_time
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

START = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


@pytest.fixture
def booked(runtime: Runtime) -> Iterator[Any]:
    """A free session on Tuesday at 15:30 in Berlin, booked three days before; only the jobs of reminders are left."""
    clock.set(START - timedelta(days=3))
    with runtime.database.write() as db:
        listing = make_listing(db, make_expert(db, paid=False), pricing="free", price_minor=0, title="Router")
        made = make_booking(db, listing, make_customer(db), starts_at=START)
        db.execute(delete(Job))
    return made


def reminded(runtime: Runtime, before: timedelta, steps: int = 100) -> list[dict[str, Any]]:
    """The mails that have been promised when the clock is so long before the start, oldest first."""
    clock.set(START - before)
    with runtime.database.write() as db:
        enqueue(db, "notices.remind")
    Worker(runtime).drain(steps)
    with runtime.database.read() as db:
        return [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))]


def test_both_are_reminded_a_day_and_an_hour_before(runtime: Runtime, booked: Any) -> None:
    assert reminded(runtime, timedelta(hours=24, seconds=1)) == []
    assert len(reminded(runtime, timedelta(hours=24))) == 2
    assert len(reminded(runtime, timedelta(hours=1, seconds=1))) == 2
    mails = reminded(runtime, timedelta(hours=1))
    assert len(mails) == 4
    assert {mail["template"] for mail in mails} == {"booking_reminder"}
    assert len({mail["to"] for mail in mails}) == 2
    assert len(reminded(runtime, timedelta(minutes=1))) == 4, "and no more"


def test_the_mail_says_what_when_and_with_whom(runtime: Runtime, booked: Any) -> None:
    mail = next(m for m in reminded(runtime, timedelta(hours=24)) if "Hello Clara" in m["body"])
    assert mail["subject"] == "Router begins in 24 hours: Tuesday, 24 November 2026, 15:30"
    assert "your session with Jonas Weber begins in 24 hours:" in mail["body"]
    assert "(Central European" in mail["body"]


def test_a_booking_that_was_moved_is_reminded_of_at_its_new_time(runtime: Runtime, booked: Any) -> None:
    reminded(runtime, timedelta(hours=24))
    with runtime.database.write() as db:
        later = START + timedelta(hours=3)
        db.execute(update(Booking).values(starts_at=later, ends_at=later + timedelta(minutes=30)))
    assert len(reminded(runtime, timedelta(hours=1))) == 2, "not at the old time"
    assert len(reminded(runtime, timedelta(hours=-2))) == 4


def test_a_booking_that_was_moved_nearer_is_reminded_of_too(runtime: Runtime, booked: Any) -> None:
    with runtime.database.write() as db:
        nearer = START - timedelta(hours=5)
        db.execute(update(Booking).values(starts_at=nearer, ends_at=nearer + timedelta(minutes=30)))
    assert len(reminded(runtime, timedelta(hours=6))) == 2


def test_nobody_is_reminded_of_a_booking_that_was_cancelled(runtime: Runtime, booked: Any) -> None:
    with runtime.database.write() as db:
        booking = db.get_one(Booking, booked.id)
        cancel(db, booking, "ill", Actor("customer", booking.customer_id, "clara"))
        db.execute(delete(Job))
    assert reminded(runtime, timedelta(hours=1)) == []


@pytest.mark.parametrize("before", [timedelta(minutes=10), timedelta(minutes=59), timedelta(minutes=65)])
def test_who_has_just_booked_is_not_reminded(runtime: Runtime, booked: Any, before: timedelta) -> None:
    with runtime.database.write() as db:
        db.execute(update(Booking).values(confirmed_at=START - before, created_at=START - before))
    assert reminded(runtime, min(before, timedelta(hours=1))) == []
    assert reminded(runtime, timedelta(minutes=2)) == []


@pytest.mark.parametrize("after", [timedelta(0), timedelta(minutes=1)])
def test_nobody_is_reminded_of_what_has_begun(runtime: Runtime, booked: Any, after: timedelta) -> None:
    assert reminded(runtime, -after) == []


def test_a_reminder_that_waits_for_the_mail_server_until_the_start_is_dropped(runtime: Runtime, booked: Any) -> None:
    assert len(reminded(runtime, timedelta(hours=1), steps=1)) == 2
    clock.set(START)
    assert Worker(runtime).drain() == 2
    assert not list(runtime.config.data_dir.glob("mail/*.eml"))


def test_after_a_pause_of_the_worker_only_the_nearest_reminder_is_sent(runtime: Runtime, booked: Any) -> None:
    with runtime.database.write() as db:
        choose_leads(db, booked.customer_id, [180, 120, 60])
        choose_leads(db, booked.host_id, [])
    assert len(reminded(runtime, timedelta(minutes=50))) == 1


def test_people_choose_when_and_whether_they_are_reminded(runtime: Runtime, booked: Any) -> None:
    with runtime.database.write() as db:
        choose_leads(db, booked.customer_id, [10])
        choose_leads(db, booked.host_id, [])
        assert (leads_of(db, booked.customer_id), leads_of(db, booked.host_id)) == ((10,), ())
        with pytest.raises(HelpoutsError, match="from the list"):
            choose_leads(db, booked.host_id, [11])
    assert reminded(runtime, timedelta(hours=1)) == []
    (mail,) = reminded(runtime, timedelta(minutes=10))
    assert "Hello Clara" in mail["body"]


def test_who_keeps_the_sites_times_follows_the_site(runtime: Runtime, booked: Any) -> None:
    with runtime.database.write() as db:
        choose_leads(db, booked.customer_id, [60, 1440])
        settings.put(db, "reminder_minutes", [30], SYSTEM)
        assert leads_of(db, booked.customer_id) == (30,)
    assert reminded(runtime, timedelta(hours=1)) == []
    assert len(reminded(runtime, timedelta(minutes=30))) == 2


def test_who_has_switched_the_mail_off_gets_none(runtime: Runtime, booked: Any) -> None:
    with runtime.database.write() as db:
        choose(db, booked.customer_id, ["mail"], {})
    (mail,) = reminded(runtime, timedelta(hours=1))
    assert "Hello Jonas" in mail["body"]


def test_a_worker_that_dies_after_the_work_leaves_no_double(
    runtime: Runtime, booked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "_finish", die)
        with pytest.raises(KeyboardInterrupt):
            reminded(runtime, timedelta(hours=1))
    clock.advance(timedelta(minutes=2))
    Worker(runtime).drain()
    with runtime.database.read() as db:
        assert len(db.scalars(select(Job).where(Job.kind == "mail.send")).all()) == 2
        assert len(db.scalars(select(ReminderMark)).all()) == 2


def test_many_bookings_are_dealt_with_in_parts(runtime: Runtime, booked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminders, "BATCH", 1)
    assert len(reminded(runtime, timedelta(hours=1), steps=1)) == 1
    Worker(runtime).drain()
    assert len(reminded(runtime, timedelta(hours=1))) == 2


@pytest.mark.parametrize(
    ("language", "zone", "shown"),
    [
        ("en", "Europe/Berlin", "Tuesday, 24 November 2026, 15:30"),
        ("en", "America/New_York", "Tuesday, November 24, 2026, 9:30\u202fAM"),
        ("en", "Asia/Kolkata", "Tuesday, 24 November 2026, 8:00\u202fpm"),
        ("de", "Europe/Vienna", "Dienstag, 24. November 2026, 15:30"),
        ("de", "America/New_York", "Dienstag, 24. November 2026, 09:30"),
    ],
)
def test_times_are_written_as_people_are_used_to_them(language: str, zone: str, shown: str) -> None:
    written = day_and_time(START, language, zone)
    assert written.casefold() == shown.casefold(), "CLDR writes pm in India up to its release 47, PM since 48"


def test_the_repeated_hour_is_shown_with_its_offset() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert day_and_time(first, "de", "Europe/Berlin").endswith("02:30 CEST")
    assert day_and_time(first + timedelta(hours=1), "de", "Europe/Berlin").endswith("02:30 CET")
    assert day_and_time(first + timedelta(hours=2), "de", "Europe/Berlin").endswith("03:30")
