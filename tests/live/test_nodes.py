"""Several live processes: where rooms are placed, how one is drained, what happens when one dies."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from helpouts.audit.actor import Actor
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock
from helpouts.errors import Conflict, NotFound, Unavailable
from helpouts.live import draining
from helpouts.sessions import nodes, service
from helpouts.sessions.models import LiveEvent, LiveNode, Session
from helpouts.sessions.tickets import issue_ticket
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

from .conftest import until

OPERATOR = Actor("operator", None, "Olga")


@pytest.fixture
def add_node(db):
    """Makes a live process that is alive, unless it has been silent for some seconds."""

    def make(name: str, rooms: int = 0, silent: float = 0, draining: bool = False) -> LiveNode:
        heard = clock.now() - timedelta(seconds=silent)
        node = LiveNode(name=name, public_url=f"http://{name}", heartbeat_at=heard, rooms=rooms, draining=draining)
        db.add(node)
        db.flush()
        return node

    return make


@pytest.fixture
def enter(db):
    """A ticket for one of the two people of a room, new or given: (session, address without its path)."""

    def go(session: Session | None = None, lost: str = "") -> tuple[Session, str]:
        if session is None:
            booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
            booking.starts_at, booking.ends_at = clock.now(), clock.now() + timedelta(minutes=30)
            db.flush()
            session = service.session_of(db, booking)
        ticket = issue_ticket(db, session, session.booking.host, lost)
        return session, ticket.url.removeprefix("ws://").removesuffix("/ws")

    return go


def test_rooms_go_to_the_least_loaded_and_are_counted_at_once(add_node, enter):
    add_node("n1", rooms=3)
    add_node("n2", rooms=1)
    assert [enter()[1] for _room in range(4)] == ["n2", "n2", "n1", "n2"]


def test_both_people_are_sent_to_the_same_process_again_and_again(db, add_node, enter):
    add_node("n1")
    session, first = enter()
    add_node("n0")
    other = issue_ticket(db, session, session.booking.customer)
    assert first in other.url
    assert enter(session)[1] == first


def test_a_drained_process_keeps_its_calls_and_gets_no_new_rooms(db, add_node, enter):
    drained = add_node("n1")
    session, _ = enter()
    service.join(db, session, session.booking.host_id, "n1", "")
    empty, _ = enter()
    add_node("n2", rooms=9)
    drained.draining = True
    db.flush()
    assert enter(session)[1] == "n1"
    assert enter()[1] == "n2"
    assert enter(empty)[1] == "n2"
    clock.advance(nodes.RECENTLY + timedelta(seconds=1))
    for name in ("n1", "n2"):
        nodes.beat(db, name, f"http://{name}", 0)
    assert enter(session)[1] == "n2", "everybody has left it long ago"


def test_the_last_process_keeps_even_its_empty_rooms_while_it_is_drained(db, add_node, enter):
    add_node("n1")
    session, _ = enter()
    db.get_one(LiveNode, "n1").draining = True
    db.flush()
    assert enter(session)[1] == "n1"
    with pytest.raises(Unavailable):
        enter()


@pytest.mark.parametrize(
    ("silent", "lost", "moves"),
    [
        (1.0, "ws://n1/ws", False),  # a browser says so, the process does not
        (2.0, "ws://n1/ws", True),
        (2.0, "ws://elsewhere/ws", False),
        (2.0, "", False),
        (9.0, "", False),
        (11.0, "", True),
    ],
)
def test_a_room_moves_when_its_process_is_dead_or_silent_and_lost(db, add_node, enter, silent, lost, moves):
    add_node("n1")
    session, _ = enter()
    add_node("n2", rooms=5)
    db.get_one(LiveNode, "n1").heartbeat_at = clock.now() - timedelta(seconds=silent)
    db.flush()
    assert enter(session, lost)[1] == ("n2" if moves else "n1")


def test_a_room_that_moves_ends_the_presences_where_it_was_and_tells_that_process(db, add_node, enter):
    add_node("n1")
    session, _ = enter()
    presence = service.join(db, session, session.booking.host_id, "n1", "")
    seen = presence.last_seen_at
    clock.advance(timedelta(seconds=2))
    add_node("n2")
    assert enter(session, "ws://n1/ws")[1] == "n2"
    db.refresh(presence)
    assert presence.left_at == seen
    [told] = db.scalars(select(LiveEvent).where(LiveEvent.topic == f"room:{session.room_id}"))
    assert told.payload == {"type": "moved"}


def test_draining_is_an_operators_act_that_is_written_down_once(db, add_node):
    add_node("n1")
    with pytest.raises(Conflict):
        nodes.set_draining(db, "n1", True, OPERATOR)
    add_node("n2")
    for _time in range(2):
        nodes.set_draining(db, "n1", True, OPERATOR)
    with pytest.raises(Conflict):
        nodes.set_draining(db, "n2", True, OPERATOR)
    nodes.set_draining(db, "n1", False, OPERATOR)
    with pytest.raises(NotFound):
        nodes.set_draining(db, "n3", True, OPERATOR)
    entries = db.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.actor, entry.detail) for entry in entries] == [
        ("live.drain", "Olga", {"node": "n1"}),
        ("live.keep", "Olga", {"node": "n1"}),
    ]


async def test_a_drained_process_ends_when_its_last_call_is_over(live, site, pair):
    async with live() as place:
        ended = []
        place.node.end_process = lambda: ended.append(len(place.node.rooms.by_id))
        expert, customer = [await place.enter(pair.session, who) for who in (pair.expert, pair.customer)]
        with site.database.write() as db:
            nodes.set_draining(db, "n1", True, OPERATOR, even_the_last=True)
        await until(lambda: place.node.draining)
        await customer.say(type="chat", client_id="a", body="Still here?")
        await expert.hear("chat", body="Still here?")
        assert ended == []
        await expert.say(type="end")
        await until(lambda: ended == [0])


async def test_a_drain_that_is_called_off_ends_nothing(live, site):
    async with live() as place:
        ended = []
        place.node.end_process = lambda: ended.append(1)
        async with place.node.rooms.changing("somebody is about to enter"):
            await draining.begin(place.node)
            await until(lambda: place.node.draining)
            with site.database.write() as db:
                nodes.set_draining(db, "n1", False, OPERATOR)
            await until(lambda: not place.node.draining)
        assert ended == []
