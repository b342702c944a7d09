"""Operators are told that somebody asks for one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from helpouts.accounts.models import Role, User
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.notices.choices import choose, offered
from helpouts.sessions import support
from helpouts.sessions.support_notices import QUIET
from helpouts.testing.factories import make_user

from .test_support import Room


@pytest.fixture
def room(runtime):
    return Room(runtime)


def make_operator(db, user_id):
    user = db.get_one(User, user_id)
    user.roles.append(db.scalars(select(Role).where(Role.name == "support")).one())


def mails(room):
    with room.runtime.database.read() as db:
        rows = db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
        return [row.payload for row in rows if row.payload["template"] == "support_asked"]


def addresses(room, *people):
    with room.runtime.database.read() as db:
        return sorted(db.get_one(User, user_id).email for user_id in people)


def told(room):
    return sorted(mail["to"] for mail in mails(room))


def test_all_who_can_answer_get_a_mail_that_does_not_say_why(room):
    room.ask("he is rude")
    assert told(room) == addresses(room, room.olivia, room.otto)
    mail = mails(room)[0]
    assert "he is rude" not in mail["subject"] + mail["body"]
    with room.runtime.database.read() as db:
        path = f"/room/{room.session(db).room_id}/operator"
        assert db.get_one(User, room.customer).name in mail["subject"]
    assert path in mail["body"]


def test_who_does_not_want_it_or_may_not_answer_is_left_alone(room):
    with room.write() as db:
        choose(db, room.olivia, ["mail"], {})
        db.get_one(User, room.otto).active = False
        make_user(db, "Carla Curator", "curator")
    room.ask()
    assert told(room) == []


def test_an_operator_is_not_told_of_a_session_of_their_own(room):
    with room.write() as db:
        make_operator(db, room.host)
    room.ask()
    assert told(room) == addresses(room, room.olivia, room.otto)


def test_asking_again_and_again_tells_once_in_a_while(room):
    begun = clock.now()
    for part, mails_so_far in ((0, 2), (0.4, 2), (0.8, 2), (1, 4), (1.8, 4)):
        clock.set(begun + part * QUIET)
        room.ask()
        room.act(support.withdraw, room.customer)
        assert len(told(room)) == mails_so_far, part


def test_only_operators_have_the_switch_and_others_lose_nothing_by_saving_theirs(room):
    with room.write() as db:
        customer = db.get_one(User, room.customer)
        assert "support" not in [kind.name for kind in offered(customer)]
        assert "support" in [kind.name for kind in offered(db.get_one(User, room.olivia))]
        choose(db, room.stranger, ["mail"], {})
        make_operator(db, room.stranger)
    room.ask()
    assert told(room) == addresses(room, room.olivia, room.otto, room.stranger)
