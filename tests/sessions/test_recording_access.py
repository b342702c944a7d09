"""Who may watch a recording, what of it is noted, and how it is sent."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.accounts.export import export_data
from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotAllowed
from helpouts.runtime import Runtime
from helpouts.sessions import recording_access, service
from helpouts.sessions.recording_models import Recording, RecordingAccess, RecordingConsent
from helpouts.sessions.tool_models import SessionReport
from helpouts.storage import service as storage
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user
from helpouts.web.app import create_app

FILM = bytes(range(256)) * 8192
REASON = "The customer says that nothing was shown."


class Place:
    """A session with a recording that is ready, and some people's browsers."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        with runtime.database.write() as db:
            booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
            session = service.session_of(db, booking)
            assert session is not None
            self.session, self.booking = session.id, booking.public_id
            self.host, self.customer = booking.host_id, booking.customer_id
            self.stranger = make_user(db, "Sam Other").id
            self.support = make_user(db, "Olivia Support", "support").id
            row = Recording(session_id=session.id, transport="aiortc", state="ready", size=len(FILM))
            row.delete_at = clock.now() + timedelta(days=30)
            row.reference = storage.store(runtime, "recordings/test/film.webm", FILM)
            db.add(row)
            db.add(RecordingConsent(session_id=session.id, user_id=self.customer, declared_adult=True))
            db.flush()
            self.id, self.public_id = row.id, row.public_id
        self.app = create_app(runtime, RATELIMIT_ENABLED=False)

    def browser(self, user_id: int) -> FlaskClient:
        client = self.app.test_client()
        with self.runtime.database.read() as db:
            known = db.get_one(User, user_id).fs_uniquifier
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"], session["fs_cc"] = known, True, "set"
        return client

    def send(self, client: FlaskClient, path: str, **form: str) -> Any:
        page = client.get(f"/recordings/{self.public_id}/{path}").text
        found = re.search(r'name="csrf_token" (?:type="hidden" )?value="([^"]+)"', page)
        token = found[1] if found else ""
        return client.post(f"/recordings/{self.public_id}/{path}", data={"csrf_token": token, **form})

    def report(self, state: str = "open") -> None:
        with self.runtime.database.write() as db:
            db.add(SessionReport(session_id=self.session, reporter_id=self.customer, about_id=self.host,
                                 reason="other", state=state))  # fmt: skip


@pytest.fixture
def place(runtime: Runtime) -> Place:
    return Place(runtime)


def seen(place: Place) -> list[tuple[int, str]]:
    with place.runtime.database.read() as db:
        rows = db.scalars(select(RecordingAccess).order_by(RecordingAccess.id)).all()
        return [(row.user_id, row.kind) for row in rows]


def test_both_watch_it_from_the_bookings_page_and_are_told_who_has(place: Place) -> None:
    for user in (place.host, place.customer):
        browser = place.browser(user)
        assert f"/recordings/{place.public_id}" in browser.get(f"/bookings/{place.booking}").text
        assert browser.get(f"/recordings/{place.public_id}").status_code == 200
        assert browser.get(f"/recordings/{place.public_id}/film.webm").data == FILM
    assert seen(place) == [(place.host, "watch"), (place.customer, "watch")]
    assert "watched by Jonas Weber" in place.browser(place.customer).get(f"/recordings/{place.public_id}").text


@pytest.mark.parametrize("path", ["", "/film.webm", "/delete"])
@pytest.mark.parametrize("who", ["stranger", "support", "nobody"])
def test_nobody_else_finds_it(place: Place, who: str, path: str) -> None:
    browser = place.app.test_client() if who == "nobody" else place.browser(getattr(place, who))
    answer = browser.get(f"/recordings/{place.public_id}{path}")
    assert answer.status_code == (302 if who == "nobody" else 404)
    assert seen(place) == []


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-", 0, len(FILM)),
        ("bytes=10-19", 10, 20),
        ("bytes=1048570-1048580", 1048570, 1048581),
        ("bytes=-5", len(FILM) - 5, len(FILM)),
    ],
)
def test_a_player_gets_the_part_that_it_asks_for(place: Place, asked: str, start: int, end: int) -> None:
    answer = place.browser(place.host).get(f"/recordings/{place.public_id}/film.webm", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (206, FILM[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(FILM)}"
    assert answer.headers["Content-Length"] == str(end - start)


def test_a_part_behind_the_end_is_refused(place: Place) -> None:
    browser = place.browser(place.host)
    beyond = {"Range": f"bytes={len(FILM)}-"}
    assert browser.get(f"/recordings/{place.public_id}/film.webm", headers=beyond).status_code == 416


def test_many_requests_of_one_player_are_one_watching_and_a_download_is_another(place: Place) -> None:
    browser = place.browser(place.host)
    for _ in range(3):
        browser.get(f"/recordings/{place.public_id}/film.webm", headers={"Range": "bytes=0-9"})
    answer = browser.get(f"/recordings/{place.public_id}/film.webm?download=1")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert seen(place) == [(place.host, "watch"), (place.host, "download")]


def test_either_deletes_it_for_both(place: Place) -> None:
    answer = place.send(place.browser(place.customer), "delete")
    assert answer.status_code == 303
    assert place.browser(place.host).get(f"/recordings/{place.public_id}").status_code == 404
    assert f"/recordings/{place.public_id}" not in place.browser(place.host).get(f"/bookings/{place.booking}").text


def test_an_operator_opens_it_in_a_dispute_with_a_reason_for_an_hour(place: Place) -> None:
    place.report()
    browser = place.browser(place.support)
    assert place.send(browser, "open", reason=REASON).status_code == 303
    assert browser.get(f"/recordings/{place.public_id}/film.webm").data == FILM
    page = place.browser(place.host).get(f"/recordings/{place.public_id}").text
    assert REASON in page
    assert "Olivia" not in page
    with place.runtime.database.read() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "recording.open")).one()
        assert (entry.actor_id, entry.reason) == (place.support, REASON)
    clock.advance(timedelta(hours=1, seconds=1))
    assert browser.get(f"/recordings/{place.public_id}").status_code == 404


@pytest.mark.parametrize(
    ("state", "reason", "error"), [("resolved", REASON, NotAllowed), ("open", "why not", HelpoutsError)]
)
def test_an_operator_needs_an_open_dispute_and_a_reason(
    place: Place, state: str, reason: str, error: type[Exception]
) -> None:
    place.report(state)
    with place.runtime.database.write() as db:
        row, operator = db.get_one(Recording, place.id), Actor("operator", place.support)
        with pytest.raises(error):
            recording_access.open_for_operator(db, row, operator, reason)


def test_a_persons_export_names_consents_and_recordings_and_erasing_deletes_them(place: Place) -> None:
    with place.runtime.database.write() as db:
        told = export_data(db, db.get_one(User, place.customer))["recordings"]
        assert [key for row in told for key in row if key.startswith("recording")] == ["recording_consent", "recording"]
        assert export_data(db, db.get_one(User, place.stranger))["recordings"] == []
        recording_access.forget_person(db, place.customer, SYSTEM)
        assert db.get_one(Recording, place.id).state == "deleted"
