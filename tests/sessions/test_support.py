"""An operator in the room: asked in, entered, out again; never a party to anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from helpouts.accounts.export import export_data
from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.payments.verify import violations
from helpouts.sessions import chat, recording, reports, service, support
from helpouts.sessions.history import history
from helpouts.sessions.models import LiveEvent, LiveNode, Presence, Session
from helpouts.sessions.support_models import SupportRequest
from helpouts.sessions.tickets import issue_ticket, redeem_ticket
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user


class Room:
    """A session that runs since its start, the two people, two operators, a stranger."""

    def __init__(self, runtime, *, begun=True):
        self.runtime = runtime
        with runtime.database.write() as db:
            booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
            clock.set(booking.starts_at)
            self.session_id = service.session_of(db, booking).id
            self.host, self.customer = booking.host_id, booking.customer_id
            self.olivia = make_user(db, "Olivia Ops", "support").id
            self.otto = make_user(db, "Otto Ops", "admin").id
            self.stranger = make_user(db, "Sam Other").id
            for user_id in (self.host, self.customer) if begun else (self.customer,):
                service.join(db, self.session(db), user_id, "n1", "")
            db.add(LiveNode(name="n1", public_url="http://live", heartbeat_at=clock.now()))

    def write(self):
        return self.runtime.database.write()

    def session(self, db):
        return db.get_one(Session, self.session_id)

    def who(self, user_id):
        kind = {self.host: "expert", self.customer: "customer", self.stranger: "customer"}.get(user_id, "operator")
        return Actor(kind, user_id, f"user {user_id}")

    def ask(self, reason="we do not agree", by=None):
        with self.write() as db:
            return support.ask(db, self.session(db), reason, self.who(by or self.customer)).id

    def take(self, number, by=None):
        with self.write() as db:
            support.take(db, db.get_one(SupportRequest, number), self.who(by or self.olivia))

    def enter(self, by=None):
        """With a ticket, as the live process does."""
        with self.write() as db:
            token = issue_ticket(db, self.session(db), db.get_one(User, by or self.olivia)).token
        with self.write() as db:
            session, user = redeem_ticket(db, token, "n1")
            presence = service.join(db, session, user.id, "n1", "")
            support.enter(db, session, user)
            return presence.id

    def act(self, verb, by):
        with self.write() as db:
            verb(db, self.session(db), self.who(by))

    def request(self):
        with self.runtime.database.read() as db:
            row = db.scalars(select(SupportRequest).order_by(SupportRequest.id.desc()).limit(1)).one()
            db.expunge_all()
            return row


@pytest.fixture
def room(runtime):
    return Room(runtime)


def test_asked_in_taken_entered_and_left_is_said_in_the_chat_and_audited(room):
    room.take(room.ask())
    room.enter()
    room.act(support.leave, room.olivia)
    with room.runtime.database.read() as db:
        said = [(line["user"], line["kind"], line["body"]) for line in chat.since(db, room.session_id, 0)]
        assert said == [
            (room.customer, "asked", "we do not agree"),
            (room.olivia, "entered", ""),
            (room.olivia, "left", ""),
        ]
        audited = db.execute(select(AuditEntry.action, AuditEntry.actor_id, AuditEntry.reason).order_by(AuditEntry.id))
        assert [tuple(row) for row in audited if row.action.startswith("support.")] == [
            ("support.ask", room.customer, "we do not agree"),
            ("support.take", room.olivia, ""),
            ("support.enter", room.olivia, ""),
            ("support.leave", room.olivia, ""),
        ]
        kinds = {row.payload["type"] for row in db.scalars(select(LiveEvent))}
        assert "support" in kinds
    assert (room.request().state, room.request().operator_id) == ("closed", room.olivia)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_short_reason_nobody_is_asked_in(room, reason):
    with pytest.raises(HelpoutsError, match="500 characters"):
        room.ask(reason)
    with room.runtime.database.read() as db:
        assert support.standing(db, room.session_id) is None
        assert chat.since(db, room.session_id, 0) == []


def test_only_one_of_the_two_asks_while_the_session_is_open(room):
    for by in (room.stranger, room.olivia):
        with pytest.raises(NotAllowed):
            room.ask(by=by)
    with room.write() as db:
        service.end(db, room.session(db), "expert", SYSTEM)
    with pytest.raises(Conflict, match="over"):
        room.ask()


def test_one_request_stands_at_a_time_and_the_database_says_so_too(room):
    room.ask()
    with pytest.raises(Conflict, match="already"):
        room.ask(by=room.host)
    second = insert(SupportRequest).values(session_id=room.session_id, asked_by=room.host, reason="me too")
    with pytest.raises(IntegrityError):
        room.runtime.database.run(lambda db: db.execute(second))


def test_operators_are_not_asked_in_without_end(room):
    for _ in range(support.MOST):
        room.ask()
        room.act(support.withdraw, room.customer)
    with pytest.raises(Conflict, match="often enough"):
        room.ask()


def test_the_first_operator_to_take_it_has_it(room):
    number = room.ask()
    room.take(number)
    room.take(number)  # a double click changes nothing
    with pytest.raises(Conflict, match="Another operator"):
        room.take(number, room.otto)
    with pytest.raises(NotAllowed):
        room.enter(room.otto)
    assert room.request().operator_id == room.olivia


def test_of_two_operators_at_once_one_has_it(room):
    number, start = room.ask(), Barrier(2)

    def attempt(by):
        start.wait()
        try:
            room.take(number, by)
        except Conflict:
            return None
        return by

    with ThreadPoolExecutor(2) as pool:
        winners = [by for by in pool.map(attempt, (room.olivia, room.otto)) if by]
    assert winners == [room.request().operator_id]


def test_nobody_looks_after_a_session_of_their_own(room):
    number = room.ask()
    with room.write() as db:
        request = db.get_one(SupportRequest, number)
        with pytest.raises(NotAllowed, match="your own"):
            support.take(db, request, Actor("operator", room.host))


def test_the_asking_side_takes_it_back_and_then_nobody_enters(room):
    number = room.ask()
    with pytest.raises(NotAllowed, match="Only who has asked"):
        room.act(support.withdraw, room.host)
    room.act(support.withdraw, room.customer)
    with pytest.raises(Conflict, match="any more"):
        room.take(number)
    with pytest.raises(NotAllowed):
        room.enter()
    assert room.request().state == "withdrawn"


@pytest.mark.parametrize("who", ["host", "customer"])
def test_either_asks_the_operator_to_leave_and_they_are_out(room, who):
    room.take(room.ask())
    room.enter()
    room.act(support.dismiss, getattr(room, who))
    with pytest.raises(NotAllowed):
        room.enter()
    with pytest.raises(NotAllowed), room.write() as db:
        support.say(db, room.session(db), db.get_one(User, room.olivia), "c", "one more thing")
    with pytest.raises(Conflict):
        room.act(support.dismiss, room.host)


def test_a_request_that_nobody_took_cannot_be_dismissed_and_a_taken_one_not_taken_back(room):
    number = room.ask()
    with pytest.raises(Conflict):
        room.act(support.dismiss, room.host)
    room.take(number)
    with pytest.raises(Conflict):
        room.act(support.withdraw, room.customer)


def test_the_end_of_the_session_ends_it(room):
    room.take(room.ask())
    presence = room.enter()
    with room.write() as db:
        service.end(db, room.session(db), "expert", SYSTEM)
        assert db.get_one(Presence, presence).left_at is not None
    assert (room.request().state, room.request().ended_at) == ("closed", clock.now())
    with pytest.raises(HelpoutsError):
        room.enter()


def test_a_ticket_is_used_once_and_not_after_the_request_is_over(room):
    room.take(room.ask())
    with room.write() as db:
        tokens = [issue_ticket(db, room.session(db), db.get_one(User, room.olivia)).token for _ in range(2)]
    with room.write() as db:
        redeem_ticket(db, tokens[0], "n1")
    with room.write() as db, pytest.raises(NotAllowed, match="not valid any more"):
        redeem_ticket(db, tokens[0], "n1")
    room.act(support.dismiss, room.host)
    with room.write() as db, pytest.raises(NotAllowed, match="not asked into"):
        redeem_ticket(db, tokens[1], "n1")


def test_an_operator_whose_role_is_taken_away_does_not_get_in(room):
    room.take(room.ask())
    with room.write() as db:
        user = db.get_one(User, room.olivia)
        user.roles.clear()
    with pytest.raises(NotAllowed):
        room.enter()


def test_the_operator_reads_from_the_request_on_unless_the_session_was_reported(room):
    with room.write() as db:
        chat.say(db, room.session(db), room.host, "a", "between us")
    room.take(room.ask())
    with room.write() as db:
        request = support.standing(db, room.session_id)
        first = support.first_line(db, request)
        assert [line["kind"] for line in chat.since(db, room.session_id, first)] == ["asked"]
        reports.report(db, room.session(db), "fraud", "", room.who(room.host))
        assert support.first_line(db, request) == 0


# -- no party ------------------------------------------------------------------------------------------------------


def test_the_operator_and_one_of_the_two_do_not_begin_the_session(runtime):
    room = Room(runtime, begun=False)
    room.take(room.ask())
    room.enter()
    with room.write() as db:
        assert room.session(db).booking.state == "confirmed"
        service.join(db, room.session(db), room.host, "n1", "")
        assert room.session(db).booking.state == "in_session"


def test_the_meter_and_the_money_do_not_know_the_operator(room):
    room.take(room.ask())
    room.enter()
    clock.advance(timedelta(seconds=3))
    with room.write() as db:
        rows = db.scalars(select(Presence).where(Presence.user_id == room.customer)).all()
        service.leave(db, rows[0].id, clock.now())
    clock.advance(timedelta(seconds=60))
    with room.write() as db:
        for row in db.scalars(select(Presence).where(Presence.left_at.is_(None))):
            row.last_seen_at = clock.now()
        session = service.end(db, room.session(db), "expert", SYSTEM)
        assert session.connected_seconds == 3
        assert violations(db) == ()


def test_the_operators_consent_records_nothing(room):
    room.take(room.ask())
    room.enter()
    with room.write() as db, pytest.raises(NotAllowed):
        recording.agree(db, room.session(db), db.get_one(User, room.olivia), adult=True)


# -- what is left of it --------------------------------------------------------------------------------------------


def test_the_bookings_page_names_the_operator(room):
    room.take(room.ask())
    room.enter()
    with room.write() as db:
        support.say(db, room.session(db), db.get_one(User, room.olivia), "c", "Hello both")
    room.act(support.dismiss, room.host)
    with room.runtime.database.read() as db:
        session = room.session(db)
        kept = history(db, session, session.booking, room.customer)
        asker, host = session.booking.customer.name, session.booking.host.name
        assert [(line.who, line.body, line.notice) for line in kept.lines] == [
            ("", f"{asker} has asked an operator in: we do not agree", True),
            ("", "Operator Olivia Ops is in the room.", True),
            ("Operator Olivia Ops", "Hello both", False),
            ("", f"{host} has asked the operator to leave.", True),
        ]
        assert "Operator Olivia Ops" in [stay.who for stay in kept.stays]


def test_the_export_names_what_somebody_asked_and_not_the_notices(room):
    room.ask()
    with room.runtime.database.read() as db:
        mine, theirs = (export_data(db, db.get_one(User, user_id)) for user_id in (room.customer, room.host))
        assert [row["reason"] for row in mine["operators_asked_in"]] == ["we do not agree"]
        assert mine["room_messages"] == theirs["operators_asked_in"] == []
