"""Busy times from an iCalendar address: what the worker makes of servers, good and bad."""

from __future__ import annotations

import gzip
import json
import sqlite3
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select, text

from helpouts.calendars import jobs, reading, service, visit
from helpouts.calendars.fetch import MOST_BYTES
from helpouts.calendars.health import problems
from helpouts.calendars.models import BusyTime, CalendarSource
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.errors import Conflict
from helpouts.jobs.models import Job
from helpouts.scheduling.models import TouchedTime
from helpouts.scheduling.service import free_slots

from .conftest import Desk, one_database
from .server import Conversation, serving
from .texts import NOW, calendar, event

TEN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ONE = calendar(event())


def test_an_event_takes_the_slot_from_the_listing(desk):
    with serving(ONE) as server:
        source = desk.work(desk.connect(f"{server.url}/secret.ics"))
    assert (service.stage(source), source.events, source.left_out) == ("good", 1, 0)
    assert desk.busy() == [(TEN, TEN + HOUR)]
    with desk.runtime.database.read() as db:
        starts = free_slots(db, db.get_one(Listing, desk.listing_id), TEN - 2 * HOUR, TEN + 2 * HOUR)
        block = service.busy_blocks(db, desk.user_id, TEN, TEN + HOUR)
    assert TEN - HOUR in starts
    assert TEN + HOUR in starts
    assert not {start for start in starts if TEN - HOUR < start < TEN + HOUR}
    assert block == [(TEN, TEN + HOUR, "127.0.0.1")]


def test_those_who_follow_free_time_hear_of_changes_only(desk):
    with serving(ONE) as server:
        source_id = desk.connect(server.url)
        desk.work(source_id)
        with desk.runtime.database.write() as db:
            assert db.scalars(select(TouchedTime.user_id)).all() == [desk.user_id]
            db.execute(text("DELETE FROM touched_time"))
        desk.read(source_id)
        with desk.runtime.database.read() as db:
            assert db.scalars(select(TouchedTime.user_id)).all() == []


@one_database
def test_an_unchanged_calendar_is_not_sent_again(desk):
    def behave(talk: Conversation) -> None:
        if talk.headers.get("if-none-match") == '"v1"':
            talk.answer(status="304 Not Modified", ETag='"v1"', Content_Length="")
        else:
            talk.answer(ONE, ETag='"v1"')

    with serving(behave) as server:
        source_id = desk.connect(server.url)
        desk.work(source_id)
        clock.set(NOW + timedelta(minutes=20))
        source = desk.read(source_id)
        assert [talk.headers.get("if-none-match") for talk in server.seen] == [None, '"v1"']
        assert source.read_at == NOW + timedelta(minutes=20)
        clock.set(NOW + timedelta(hours=21))
        desk.read(source_id)
        assert server.seen[-1].headers.get("if-none-match") is None  # repetitions come into view
    assert desk.busy() == [(TEN, TEN + HOUR)]


@one_database
def test_a_changed_calendar_replaces_what_was_known(desk):
    content = [ONE, calendar(event("2@elsewhere", "20261202T100000Z", "20261202T110000Z"))]
    with serving(lambda talk: talk.answer(content[0])) as server:
        source_id = desk.connect(server.url)
        desk.work(source_id)
        content.pop(0)
        desk.read(source_id)
    assert desk.busy() == [(TEN + 24 * HOUR, TEN + 25 * HOUR)]


def drip(talk: Conversation) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\n\r\n")
    for _ in range(100):
        talk.send(b"B")
        if talk.closing.wait(0.1):
            return


def short(talk: Conversation) -> None:
    talk.answer(ONE, Content_Length=str(len(ONE) - 30))


def long(talk: Conversation) -> None:
    talk.answer(ONE, Content_Length=str(len(ONE) + 30))


def endless(talk: Conversation) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\n\r\n")
    for _ in range(60):
        talk.send(b"X" * 1024 * 1024)


def bomb(talk: Conversation) -> None:
    talk.answer(gzip.compress(b"B" * (MOST_BYTES * 5)), Content_Encoding="gzip")


def half_packed(talk: Conversation) -> None:
    talk.answer(gzip.compress(ONE.encode())[:-12], Content_Encoding="gzip")


def answers(status: str) -> object:
    return lambda talk: talk.answer("no", status)


def redirects(target: str) -> object:
    return lambda talk: talk.answer("", "302 Found", Location=target)


FAULTS = {
    "hangs": (lambda talk: talk.hang(), "timeout", 0),
    "drips": (drip, "timeout", 0),
    "hangs up": (lambda talk: None, "unreachable", 0),
    "says nonsense": (lambda talk: talk.send(b"\0\1\2 what\r\n\r\n"), "unreachable", 0),
    "says less than it has": (short, "unreachable", 0),
    "promises more than it sends": (long, "unreachable", 0),
    "sends 60 MB": (endless, "too_big", 0),
    "announces 50 MB": (lambda talk: talk.answer(b" " * 50 * 1024 * 1024), "too_big", 0),
    "packs a bomb": (bomb, "too_big", 0),
    "packs half": (half_packed, "broken", 0),
    "packs strangely": (lambda talk: talk.answer(ONE, Content_Encoding="br"), "broken", 0),
    "is a web page": (lambda talk: talk.answer("<!DOCTYPE html><html><body>Sign in</body></html>"), "page", 0),
    "is empty": (lambda talk: talk.answer(""), "broken", 0),
    "stops in the middle": (lambda talk: talk.answer(ONE[:-40]), "broken", 0),
    "is bytes": (lambda talk: talk.answer(bytes(range(256)) * 100), "broken", 0),
    "is not there": (answers("404 Not Found"), "gone", 404),
    "is over": (answers("410 Gone"), "gone", 410),
    "fails": (answers("500 Oh"), "status", 500),
    "forbids": (answers("403 No"), "status", 403),
    "lies about change": (lambda talk: talk.answer("", "304 Not Modified"), "status", 304),
    "redirects for ever": (redirects("/again"), "redirects", 0),
    "redirects inside": (redirects("http://127.0.0.2:1/"), "refused", 0),
    "redirects to metadata": (redirects("http://169.254.169.254/latest/"), "refused", 0),
    "redirects to a file": (redirects("file:///etc/passwd"), "refused", 0),
    "redirects to a number": (redirects("http://2130706434/"), "unreachable", 0),
    "redirects to six": (redirects("http://[::1]/"), "refused", 0),
    "redirects to mapped six": (redirects("http://[::ffff:10.0.0.1]/"), "refused", 0),
    "redirects to nothing": (redirects("http://:0:/"), "unreachable", 0),
}


@one_database
@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_server_leaves_what_was_known_and_says_why(desk, monkeypatch, name):
    behave, trouble, status = FAULTS[name]
    good = [True]
    with serving(lambda talk: talk.answer(ONE) if good else behave(talk)) as server:
        source_id = desk.connect(server.url)
        assert desk.work(source_id).trouble == ""
        good.clear()
        if trouble == "timeout":
            monkeypatch.setattr(jobs, "PATIENCE", 1.5)
        began = time.monotonic()
        clock.set(NOW + timedelta(hours=3))
        source = desk.read(source_id)
        assert time.monotonic() - began < visit.PATIENCE
    assert (source.trouble, source.trouble_status, source.failures) == (trouble, status, 1)
    assert service.stage(source) == "stale"
    assert source.read_at == NOW
    assert source.next_at > clock.now()
    assert desk.busy() == [(TEN, TEN + HOUR)]


@one_database
def test_a_server_that_is_down_and_comes_back(desk):
    with serving(ONE) as server:
        source_id = desk.connect(server.url)
        desk.work(source_id)
    down = desk.read(source_id)
    assert (down.trouble, service.stage(down)) == ("unreachable", "stale")
    again = desk.read(source_id)
    assert again.failures == 2
    assert again.next_at - clock.now() > down.next_at - NOW


@one_database
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/", "http://0:{port}/"]
)
def test_without_permission_nothing_private_is_visited(runtime, at_nine, url):
    desk = Desk(runtime)
    with serving(ONE) as server:
        with runtime.database.write() as db:
            source = CalendarSource(user_id=desk.user_id, kind="ical", name="x", host="x", public_id="x", sealed="")
            source.sealed = service.lock(runtime.config, "x", service.Access(url.format(port=server.port)))
            db.add(source)
            db.flush()
        assert desk.read(source.id).trouble in ("refused", "unreachable")
        assert server.seen == []


@one_database
def test_a_certificate_that_nobody_knows_is_refused(desk, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=5000))
        .not_valid_after(NOW + timedelta(days=5000))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "both.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with serving(ONE, context) as server:
        source = desk.work(desk.connect(f"https://127.0.0.1:{server.port}/x.ics"))
        assert server.seen == []
    assert (source.trouble, service.stage(source)) == ("tls", "failed")


@one_database
def test_secrets_are_neither_in_the_database_nor_in_the_log(desk, tmp_path):
    with structlog.testing.capture_logs() as logs, serving(lambda talk: talk.answer("", "500 Oh")) as server:
        source_id = desk.connect(f"{server.url}/private-abc123/basic.ics?key=topsecret")
        desk.work(source_id)
        account = desk.connect(server.url, "caldav", user="mia", password="app-pass-word")
        source = desk.work(account)
    assert source.failures == 1
    with sqlite3.connect(desk.runtime.database.url.removeprefix("sqlite:///")) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    for secret in ("abc123", "topsecret", "app-pass-word"):
        assert secret not in dump
        assert secret not in json.dumps(logs, default=str)
        assert secret not in repr(source.sealed)


@one_database
def test_a_calendar_that_was_disconnected_meanwhile_leaves_nothing(desk):
    def behave(talk: Conversation) -> None:
        with desk.runtime.database.write() as db:
            service.disconnect(db, db.scalars(select(CalendarSource)).one())
        talk.answer(ONE)

    with serving(behave) as server:
        desk.connect(server.url)
        with pytest.raises(Exception, match="No row"):
            desk.work(1)
    assert desk.busy() == []


def test_disconnecting_gives_the_time_back(desk):
    with serving(ONE) as server:
        source_id = desk.connect(server.url)
        desk.work(source_id)
    with desk.runtime.database.write() as db:
        db.execute(text("DELETE FROM touched_time"))
        service.disconnect(db, db.get_one(CalendarSource, source_id))
    with desk.runtime.database.read() as db:
        assert db.scalars(select(BusyTime.id)).all() == []
        assert db.scalars(select(TouchedTime.user_id)).all() == [desk.user_id]


def test_due_calendars_are_promised_once(desk):
    with serving(ONE) as server:
        source_id = desk.connect(server.url)
        first = desk.work(source_id)
        clock.set(first.next_at + timedelta(seconds=1))
        with desk.runtime.database.write() as db:
            jobs.due(db, {})
            jobs.due(db, {})
        assert timedelta(minutes=13) < first.next_at - NOW < timedelta(minutes=17)
    with desk.runtime.database.read() as db:
        waiting = db.scalars(select(Job).where(Job.kind == "calendars.read", Job.state == "ready")).all()
        assert [job.serial_key for job in waiting] == [f"calendar:{source_id}"]


@one_database
def test_the_owner_is_told_once_after_days(desk):
    with serving(lambda talk: talk.answer("", "500 Oh")) as server:
        source_id = desk.connect(server.url, name="Family")
        desk.work(source_id)
        for days in (2, 4, 5, 6):
            clock.set(NOW + timedelta(days=days))
            desk.read(source_id)
        with desk.runtime.database.read() as db:
            mails = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]
            found = [str(problem.text) for problem in problems(db)]
    assert [mail["template"] for mail in mails] == ["calendar_stale"]
    assert "Family" in mails[0]["subject"]
    assert "The server answered with an error (500)." in mails[0]["body"]
    assert found == ["Calendars of experts that were not read for a day: 1. The server answered with an error (500)."]


@one_database
def test_a_reading_can_be_asked_for_but_not_all_the_time(desk):
    with serving(ONE) as server:
        source_id = desk.connect(server.url)
        desk.work(source_id)
        with desk.runtime.database.write() as db, pytest.raises(Conflict):
            service.read_now(db, db.get_one(CalendarSource, source_id))
        clock.set(NOW + timedelta(minutes=1))
        with desk.runtime.database.write() as db:
            service.read_now(db, db.get_one(CalendarSource, source_id))
        assert desk.work(source_id).read_at == NOW + timedelta(minutes=1)


@one_database
def test_the_address_may_expire_without_being_called_a_password(desk):
    with serving(answers("401 No")) as server:
        source = desk.work(desk.connect(server.url))
    assert (source.trouble, source.trouble_status) == ("status", 401)


@one_database
def test_another_master_key_is_a_trouble_of_the_calendar(desk):
    with serving(ONE) as server:
        source_id = desk.connect(server.url)
        with desk.runtime.database.write() as db:
            db.get_one(CalendarSource, source_id).sealed = "AAAA"
        source = desk.read(source_id)
    assert source.trouble == "locked"
    assert source.next_at - NOW > reading.LONGEST_PAUSE / 2


def test_a_visit_is_shorter_than_a_lease():
    from helpouts.calendars.parse import SECONDS
    from helpouts.jobs.worker import LEASE

    assert LEASE.total_seconds() - 10 > visit.PATIENCE + SECONDS
