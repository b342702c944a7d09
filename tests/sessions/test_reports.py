"""Reporting somebody: kept and confirmed, seen by operators with what happened, never told to whom it is about."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.jobs.models import Job
from helpouts.sessions import reports
from helpouts.sessions.models import Session
from helpouts.sessions.tool_models import SessionReport

from .test_files import Room


@pytest.fixture
def room(runtime):
    return Room(runtime)


def session_of(db, room):
    return db.get_one(Session, room.session_id)


def sent(db):
    return [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send"))]


def test_a_report_is_kept_and_confirmed_to_its_author_only(room):
    with room.runtime.database.write() as db:
        made = reports.report(
            db, session_of(db, room), "fraud", " pay me outside ", Actor("customer", room.customer, "")
        )
        assert (made.state, made.about_id, made.text) == ("open", room.host, "pay me outside")
        [mail] = sent(db)
        assert (mail["template"], mail["to"]) == ("session_reported", made.reporter.email)


@pytest.mark.parametrize(("reason", "text"), [("", ""), ("nonsense", "x"), ("other", "  "), ("fraud", "x" * 4001)])
def test_a_report_without_what_it_needs_is_refused(room, reason, text):
    with room.runtime.database.write() as db, pytest.raises(HelpoutsError):
        reports.report(db, session_of(db, room), reason, text, Actor("expert", room.host, ""))


def test_only_the_two_people_report_and_not_without_end(room):
    with room.runtime.database.write() as db:
        with pytest.raises(NotAllowed):
            reports.report(db, session_of(db, room), "fraud", "", Actor("customer", room.stranger, ""))
        for _ in range(reports.MOST):
            reports.report(db, session_of(db, room), "fraud", "", Actor("expert", room.host, ""))
        with pytest.raises(Conflict):
            reports.report(db, session_of(db, room), "fraud", "", Actor("expert", room.host, ""))


def test_the_form_is_on_a_page_of_its_own_and_says_what_is_missing(room):
    customer = room.browser(room.customer)
    path = f"/bookings/{room.booking}/report"
    page = customer.get(f"{path}?left=1")
    assert "You have left the room" in page.text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]
    refused = customer.post(path, data={"csrf_token": token, "text": "hm"})
    assert (refused.status_code, "Choose what it is about." in refused.text) == (400, True)
    done = customer.post(path, data={"csrf_token": token, "reason": "unsafe", "text": "<b>hm</b>"})
    assert done.status_code == 303
    assert "We have your report" in customer.get(done.location).text
    with room.runtime.database.read() as db:
        assert db.scalars(select(SessionReport.reason)).all() == ["unsafe"]
    assert room.browser(room.stranger).get(path).status_code == 404
    assert "report" not in room.browser(room.host).get(f"/bookings/{room.booking}").text.lower().split("<main")[0]


def test_a_report_is_resolved_once_by_an_operator(room):
    operator = Actor("operator", room.stranger, "op")
    with room.runtime.database.write() as db:
        made = reports.report(db, session_of(db, room), "fraud", "", Actor("expert", room.host, ""))
        with pytest.raises(NotAllowed):
            reports.resolve(db, made, "no", Actor("expert", room.host, ""))
        reports.resolve(db, made, "warned", operator)
        assert (made.state, made.resolution, made.resolved_by) == ("resolved", "warned", room.stranger)
        with pytest.raises(Conflict):
            reports.resolve(db, made, "again", operator)


def test_the_page_of_a_booking_shows_what_was_kept(room):
    from helpouts.sessions import chat, notes

    with room.runtime.database.write() as db:
        session = session_of(db, room)
        chat.say(db, session, room.host, "l1", "Press <reset>")
        notes.change(db, session, room.customer, "n1", 0, ["1. unplug\n2. wait"])
    room.send(room.browser(room.customer))
    room.end()
    page = room.browser(room.customer).get(f"/bookings/{room.booking}").text
    for text in ("Press &lt;reset&gt;", "1. unplug\n2. wait", "note.txt", "In the room", "11 B"):
        assert text in page
    assert room.browser(room.stranger).get(f"/bookings/{room.booking}").status_code == 404


def test_an_empty_session_says_so(room):
    room.end()
    assert "Nothing was written in this session." in room.browser(room.host).get(f"/bookings/{room.booking}").text
