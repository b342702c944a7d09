"""Who is available now: the switch, the heartbeat, and the bookings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpouts.clock import clock
from helpouts.errors import NotAllowed
from helpouts.instant import presence
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

MINUTE = timedelta(minutes=1)


def available(db, user_id, minutes=30):
    return user_id in set(db.scalars(presence.available_users(clock.now(), minutes)))


@pytest.fixture
def host(db):
    """An expert with the switch on and one device on node n1."""
    user = make_expert(db).owner
    presence.turn(db, user.id, True)
    presence.beat(db, "n1", [user.id])
    return user


def test_an_expert_with_the_switch_on_and_a_device_is_available(db, host):
    assert available(db, host.id)


def test_the_switch_alone_is_a_wish(db):
    user = make_expert(db).owner
    presence.turn(db, user.id, True)
    assert not available(db, user.id)
    presence.beat(db, "n1", [user.id])
    assert available(db, user.id)


def test_a_device_alone_makes_nobody_available(db):
    user = make_expert(db).owner
    presence.beat(db, "n1", [user.id])
    assert not available(db, user.id)


def test_a_customer_has_no_switch(db):
    with pytest.raises(NotAllowed):
        presence.turn(db, make_customer(db).id, True)


def test_silence_lapses_and_the_switch_comes_back_with_the_device(db, host):
    clock.advance(presence.LAPSE + timedelta(seconds=1))
    assert not available(db, host.id)
    assert presence.is_on(db, host.id)
    presence.beat(db, "n1", [host.id])
    assert available(db, host.id)


def test_goodbye_leaves_a_moment_for_the_next_page(db, host):
    presence.goodbye(db, "n1", [host.id])
    assert available(db, host.id)
    clock.advance(presence.GOODBYE + timedelta(seconds=1))
    assert not available(db, host.id)


def test_another_device_on_another_node_keeps_somebody_here(db, host):
    presence.beat(db, "n2", [host.id])
    presence.goodbye(db, "n1", [host.id])
    clock.advance(presence.GOODBYE + timedelta(seconds=1))
    assert available(db, host.id)


def test_goodbye_never_lengthens_a_promise(db, host):
    clock.advance(presence.LAPSE - timedelta(seconds=2))
    presence.goodbye(db, "n1", [host.id])
    clock.advance(timedelta(seconds=3))
    assert not available(db, host.id)


@pytest.mark.parametrize(("begins", "minutes", "free"), [(20, 30, False), (40, 30, True), (40, 60, False)])
def test_a_session_must_fit_before_the_next_booking(db, host, begins, minutes, free):
    make_booked(db, host, begins)
    assert available(db, host.id, minutes) is free


@pytest.mark.parametrize("state", ["confirmed", "in_session"])
def test_nobody_is_available_in_a_session(db, host, state):
    booking = make_booked(db, host, -5)
    booking.state = state
    db.flush()
    assert not available(db, host.id)


def test_a_session_that_overruns_still_takes_its_expert(db, host):
    booking = make_booked(db, host, -40)
    booking.state = "in_session"
    db.flush()
    assert not available(db, host.id)


def test_an_expert_who_is_a_customer_somewhere_is_not_available(db, host):
    other = make_listing(db, make_expert(db))
    booking = make_booking(db, other, make_customer(db))
    booking.customer_id, booking.starts_at, booking.ends_at = host.id, clock.now(), clock.now() + 30 * MINUTE
    db.flush()
    assert not available(db, host.id)


def make_booked(db, host, begins):
    """A confirmed booking of the host that begins in so many minutes."""
    from helpouts.catalog.service import expert_of

    listing = make_listing(db, expert_of(db, host))
    booking = make_booking(db, listing, make_customer(db))
    booking.starts_at = clock.now() + begins * MINUTE
    booking.ends_at = booking.starts_at + 30 * MINUTE
    db.flush()
    return booking


@pytest.mark.parametrize("count", [2500])
def test_many_people_are_noted_in_few_statements(db, count):
    from sqlalchemy import event, func, insert, select

    from helpouts.accounts.models import User
    from helpouts.instant.models import DevicePresence

    db.execute(
        insert(User), [{"email": f"u{n}@x.example", "name": "U", "fs_uniquifier": f"u{n}"} for n in range(count)]
    )
    ids = db.scalars(select(User.id)).all()
    said = []
    event.listen(db.get_bind().engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    presence.beat(db, "n1", ids)
    presence.beat(db, "n1", ids)
    assert len(said) == 6
    assert db.scalar(select(func.count()).select_from(DevicePresence)) == count
