"""An operator in the room: asked in by one of the two, there by chat alone.

The two say ``support_ask`` (``reason``), ``support_withdraw``, ``support_dismiss``, and hear ``support`` whenever
something of it has changed.  The operator hears ``people`` (how the two stand), the lines of the chat since the
request, and ``support_over`` before being shown out; says ``chat``, ``support_leave`` and ``support_end`` (``reason``),
which ends the session.  All else that is said in the room goes past them: :attr:`~helpouts.live.rooms.Room.guest` is
none of the room's connections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session as DbSession

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.i18n import use_locale
from helpouts.live import protocol
from helpouts.live.messages import Message, handles, welcomes
from helpouts.live.protocol import plain
from helpouts.live.rooms import Connection, Room
from helpouts.live.tools import chat as lines
from helpouts.sessions import chat, operating, service, support
from helpouts.sessions.models import Session

if TYPE_CHECKING:
    from helpouts.live.node import Node


def _actor(room: Room, connection: Connection) -> Actor:
    if connection.guest:
        return Actor("operator", connection.user_id, connection.name)
    return Actor("expert" if connection.user_id == room.host_id else "customer", connection.user_id, connection.name)


async def _do(
    node: Node, room: Room, connection: Connection, act: Callable[[DbSession, Session, Actor], object]
) -> None:
    def do(db: DbSession) -> None:
        with use_locale(connection.locale):
            act(db, db.get_one(Session, room.session_id), _actor(room, connection))

    await node.write(do)


@handles("support_ask")
async def ask(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """One of the two asks an operator in."""
    reason = plain(message.get("reason", ""))
    await _do(node, room, connection, lambda db, session, actor: support.ask(db, session, reason, actor))


@handles("support_withdraw")
async def withdraw(node: Node, room: Room, connection: Connection, _message: Message) -> None:
    """Who has asked takes it back."""
    await _do(node, room, connection, support.withdraw)


@handles("support_dismiss")
async def dismiss(node: Node, room: Room, connection: Connection, _message: Message) -> None:
    """Either asks the operator to leave."""
    await _do(node, room, connection, support.dismiss)


@handles("support_leave", guests=True)
async def leave(node: Node, room: Room, connection: Connection, _message: Message) -> None:
    """The operator leaves for good."""
    await _do(node, room, connection, support.leave)


@handles("support_end", guests=True)
async def end(node: Node, room: Room, connection: Connection, message: Message) -> None:
    """The operator ends the session; both are told the reason."""
    reason = plain(message.get("reason", "")).strip()
    if not reason or len(reason) > support.LONGEST_NOTE:
        limit = support.LONGEST_NOTE
        raise HelpoutsError(_l("Say why, in at most %(limit)s characters: both will read it.", limit=limit))

    def do(db: DbSession, session: Session, actor: Actor) -> None:
        service.lock_session(db, session)
        support.check_operator(db, session, db.get_one(User, connection.user_id))
        operating.end(db, session, reason, actor)

    await _do(node, room, connection, do)
    await node.finish(protocol.close(node, room, reason))


async def take_seat(node: Node, room: Room, connection: Connection, after: int) -> None:
    """The operator is in the room; hold ``Rooms.changing``.

    :raises HelpoutsError: the request does not stand any more.
    """
    earlier, room.guest = room.guest, connection  # from now on we hear when the request is over
    if earlier is not None:
        earlier.gone = True
        node.spawn(earlier.hang_up(protocol.REPLACED, b"opened in another window"))
        await node.write(lambda db: service.leave(db, earlier.presence_id, earlier.heard_at))

    def look(db: DbSession) -> tuple[int, list[Message]]:
        session = db.get_one(Session, room.session_id)
        request = support.check_operator(db, session, db.get_one(User, connection.user_id))
        first = max(after, support.first_line(db, request))
        return first, chat.since(db, session.id, first)

    async with room.talk:
        first, known = await node.read(look)
        connection.told = max([first, *(line["seq"] for line in known)])
        people = protocol.people_of(room)
        await connection.send({"type": "welcome", "you": connection.user_id, "people": people, "chat": known})
    node.errand(changed(node, room, {}))


async def changed(node: Node, room: Room, _payload: Message) -> None:
    """Somebody, perhaps elsewhere, has asked, answered, come or gone; who is not asked in any more is shown out.

    With the session every request is over too: that is told by ``ended``, to everybody.
    """

    def look(db: DbSession) -> tuple[bool, int | None, list[Message]]:
        request = support.standing(db, room.session_id)
        told = [support.as_json(request, connection.user_id) for connection in connections]
        over = db.get_one(Session, room.session_id).state == "ended"
        return over, request.operator_id if request is not None else None, told

    async with room.talk:
        await lines.tell(node, room)  # the line of the chat that says so
        connections = list(room.connections.values())
        over, operator_id, told = await node.read(look)
        if over:
            return
        guest = room.guest
        here = guest is not None and guest.user_id == operator_id
        for connection, state in zip(connections, told, strict=True):
            await connection.send({"type": "support", **state, "here": here})
    if guest is not None and not here:
        await guest.send({"type": "support_over"})
        node.spawn(guest.hang_up(protocol.ENDED, b"not asked in any more"))
        await protocol.drop(node, room, guest, clock.now(), leaving=True)


protocol.ROOM_EVENTS["support"] = changed


@welcomes
def as_it_stands(db: DbSession, room: Room, user_id: int, _after: int) -> Message:
    """Whether an operator is asked in, or here."""
    state = support.as_json(support.standing(db, room.session_id), user_id)
    return {"support": {**state, "here": room.guest is not None}}
