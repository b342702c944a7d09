"""The live processes: which are alive, which has a room, which takes no new ones.

A process says every half second that it is there.  Whoever has been silent for :data:`NODE_SILENCE` is taken for dead;
after :data:`SUSPECT` already when a browser has lost it, too.  Taking a living process for dead ends nothing: its
browsers are sent on to where the room is now.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as DbSession

from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import Conflict, NotFound, Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.sessions.models import LiveNode, Presence, Session
from helpouts.sessions.service import tell

#: A process that has been silent for longer is taken for dead.
NODE_SILENCE = timedelta(seconds=10)
#: The same, when somebody reports that it does not answer.
SUSPECT = timedelta(seconds=1.5)
#: A room that somebody was in so recently is not empty: they may come back to what is kept for them.
RECENTLY = timedelta(minutes=1)


def socket_url(node: LiveNode, path: str = "/ws") -> str:
    """Where browsers reach the process's WebSocket."""
    return node.public_url.replace("http", "ws", 1) + path


def alive(db: DbSession, lost: str = "") -> dict[str, LiveNode]:
    """The living processes by name, the least loaded first.

    :param lost: the WebSocket's address that a browser could not reach; trusted only as far as the heartbeat agrees.
    """
    now = clock.now()
    heard = select(LiveNode).where(LiveNode.heartbeat_at > now - NODE_SILENCE).order_by(LiveNode.rooms, LiveNode.name)
    nodes = list(db.scalars(heard.execution_options(populate_existing=True)))
    dead = [node for node in nodes if socket_url(node) == lost and node.heartbeat_at < now - SUSPECT]
    return {node.name: node for node in nodes if node not in dead}


def take_new(nodes: dict[str, LiveNode]) -> list[LiveNode]:
    """Those of the processes that take new rooms, the least loaded first."""
    return [node for node in nodes.values() if not node.draining]


def node_for(db: DbSession, session: Session, lost: str = "") -> LiveNode:
    """The process that has the room; a room whose process is gone, or an empty one on a process that is drained,
    goes to the least loaded.

    :raises Unavailable: no live process is running.
    """
    if not _stays(db, session, alive(db, lost)):
        db.refresh(session, with_for_update={"of": Session})  # both people are sent to the same process
        nodes = alive(db, lost)
        if not _stays(db, session, nodes):
            fresh = take_new(nodes)
            if not fresh:
                raise Unavailable(_l("The video service does not answer at the moment. Please try again in a minute."))
            _move(db, session, fresh[0])
    return db.get_one(LiveNode, session.node)


def _stays(db: DbSession, session: Session, nodes: dict[str, LiveNode]) -> bool:
    node = nodes.get(session.node)
    if node is None or not node.draining:
        return node is not None
    if not take_new(nodes):
        return True  # nobody else would take it
    recent = select(Presence.id).where(
        Presence.session_id == session.id,
        Presence.node == node.name,
        Presence.last_seen_at > clock.now() - RECENTLY,
    )
    return db.scalar(recent.limit(1)) is not None


def _move(db: DbSession, session: Session, node: LiveNode) -> None:
    """Whoever was connected where the room was has left when last seen; should that process live, it is told."""
    if session.node:
        gone = update(Presence).where(
            Presence.session_id == session.id, Presence.node == session.node, Presence.left_at.is_(None)
        )
        db.execute(gone.values(left_at=Presence.last_seen_at))
        tell(db, session, {"type": "moved"})
    session.node = node.name
    # Counted at once: the process itself says so only with its next beat, and many rooms may come before it.
    db.execute(update(LiveNode).where(LiveNode.name == node.name).values(rooms=LiveNode.rooms + 1))


# -- what a process says of itself -----------------------------------------------------------------------------


def announce(db: DbSession, name: str, public_url: str) -> None:
    """A process begins."""
    node = LiveNode(name=name, public_url=public_url, heartbeat_at=clock.now(), rooms=0)
    node.draining = False
    db.merge(node)


def beat(db: DbSession, name: str, public_url: str, rooms: int) -> bool:
    """A process is alive and has so many rooms; whether it is to be drained."""
    said = update(LiveNode).where(LiveNode.name == name).values(heartbeat_at=clock.now(), rooms=rooms)
    draining = db.scalar(said.returning(LiveNode.draining).execution_options(synchronize_session=False))
    if draining is None:
        announce(db, name, public_url)
    return bool(draining)


def forget(db: DbSession, name: str) -> None:
    """A process ends."""
    db.execute(delete(LiveNode).where(LiveNode.name == name))


def is_last(db: DbSession, name: str) -> bool:
    """Whether no other process would take new rooms."""
    return all(node.name == name for node in take_new(alive(db)))


def set_draining(db: DbSession, name: str, draining: bool, actor: Actor, *, even_the_last: bool = False) -> LiveNode:
    """Have a process take no new rooms, and end when the last of its calls is over; or call that off.

    :raises NotFound: there is no such process.
    :raises Conflict: no other process would take new rooms.
    """
    node = db.get(LiveNode, name, with_for_update=True)
    if node is None:
        raise NotFound(_l("There is no live process of that name."))
    if draining and not even_the_last and is_last(db, name):
        raise Conflict(_l("No other live process would take new rooms. Start one first."))
    if node.draining != draining:
        node.draining = draining
        record(db, actor, "live.drain" if draining else "live.keep", None, node=name)
    return node
