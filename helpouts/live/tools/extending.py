"""More minutes: ``extend`` (``minutes``) asks for them, ``extend_answer`` (``id``, ``agree``) answers.

Both are told how it stands with ``extension``, each in their own language: when the session ends, what is open, what
can be asked for.  It comes whenever anything of it has changed, whichever process did it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session as DbSession

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings import extending
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.i18n import use_locale
from helpouts.live import protocol
from helpouts.live.messages import Message, handles, welcomes
from helpouts.live.rooms import Connection, Room
from helpouts.live.tools.notes import whole
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node


def _actor(room: Room, connection: Connection) -> Actor:
    kind = "expert" if connection.user_id == room.host_id else "customer"
    return Actor(kind, connection.user_id, connection.name)  # type: ignore[arg-type]  # one of the two kinds


@handles("extend")
async def ask(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """Offer or ask for more minutes."""

    def do(db: DbSession) -> None:
        booking = db.get_one(Session, room.session_id).booking
        with use_locale(connection.locale):
            extending.ask(db, booking, whole(message.get("minutes")), _actor(room, connection))

    await node.write(do)


@handles("extend_answer")
async def answer(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """Agree, decline, or take one's own wish back."""
    act = extending.agree if message.get("agree") is True else extending.decline

    def do(db: DbSession) -> None:
        booking = db.get_one(Session, room.session_id).booking
        with use_locale(connection.locale):
            act(db, booking, whole(message.get("id")), _actor(room, connection))

    await node.write(do)


async def changed(node: Node, room: Room, _payload: Message) -> None:
    """Somebody, perhaps elsewhere, has asked or answered."""
    connections = list(room.connections.values())

    def look(db: DbSession) -> tuple[datetime, list[Message]]:
        booking = db.get_one(Session, room.session_id).booking
        return booking.ends_at, [as_json(db, booking, connection.user_id) for connection in connections]

    async with room.talk:
        room.ends_at, told = await node.read(look)
        for connection, state in zip(connections, told, strict=True):
            await connection.send({"type": "extension", **state})
    await protocol.announce(node, room)


protocol.ROOM_EVENTS["extension"] = changed


@welcomes
def as_it_stands(db: DbSession, room: Room, user_id: int, _after: int) -> Message:
    """When the session ends, and what is asked for."""
    return {"extension": as_json(db, db.get_one(Session, room.session_id).booking, user_id)}


def as_json(db: DbSession, booking: Booking, user_id: int) -> dict[str, Any]:
    """How it stands, for one of the two; amounts as they read them.  ``left``: seconds until the end."""
    newest = extending.last_extension(db, booking)
    obstacle = extending.obstacle(db, booking)
    most = 0 if obstacle else extending.most_minutes(db, booking)

    def priced(minutes: int, amount_minor: int) -> dict[str, Any]:
        price = formatting.money(amount_minor, booking.currency) if amount_minor else ""
        return {"minutes": minutes, "price": price}

    with use_locale(db.get_one(User, user_id).locale):
        return {
            "left": (booking.ends_at - clock.now()).total_seconds(),
            "price_minor": booking.price_minor,
            "amount_minor": booking.amount_minor,
            "choices": [priced(n, extending.price_of(booking, n)) for n in extending.CHOICES if n <= most],
            "obstacle": str(obstacle),
            "newest": None
            if newest is None
            else {
                "id": newest.id,
                "state": newest.state,
                "mine": newest.asked_by == user_id,
                **priced(newest.minutes, newest.amount_minor),
            },
        }
