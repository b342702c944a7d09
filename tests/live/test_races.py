"""Two processes that change a session in the same moment."""

from __future__ import annotations

import threading

import pytest

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.errors import Conflict
from helpouts.sessions import service
from helpouts.sessions.models import Session
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing


@pytest.fixture
def session(runtime):
    """A room that is open, and empty again."""
    with runtime.database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        made = service.session_of(db, booking)
        service.leave(db, service.join(db, made, booking.host_id, "n1", "").id, clock.now())
        return made


def at_once(runtime, first, second):
    """Do ``second`` in another transaction while that of ``first`` is open; what it raised."""
    raised = []

    def run():
        try:
            runtime.database.run(second)
        except Conflict as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    with runtime.database.write() as db:
        first(db)
        db.flush()
        thread.start()
        thread.join(0.5)  # it waits for us, or it is done already and has not seen what we did
    thread.join(20)
    assert not thread.is_alive()
    return raised


def joining(session, user_id):
    return lambda db: service.join(db, db.get_one(Session, session.id), user_id, "n1", "")


def test_two_who_enter_in_the_same_moment_see_each_other(runtime, session):
    booking = session.booking
    at_once(runtime, joining(session, booking.host_id), joining(session, booking.customer_id))
    with runtime.database.read() as db:
        assert db.get_one(Session, session.id).booking.state == "in_session"


def test_nobody_enters_a_session_that_is_being_ended(runtime, session):
    def end(db):
        service.end(db, db.get_one(Session, session.id), "operator", SYSTEM)

    [refused] = at_once(runtime, end, joining(session, session.booking.customer_id))
    assert "over" in str(refused)
