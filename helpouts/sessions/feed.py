"""The events of :class:`LiveEvent`, each heard exactly once by every live process that follows them.

SQLite commits in the order of ``seq``, because it has one writer.  PostgreSQL does not: a transaction that took its
number earlier may commit later, and whoever asks for ``seq > newest`` never sees its event.  There each row keeps the
id of its transaction, and a reader remembers the *horizon* of its snapshot: all transactions below it were over
(``pg_snapshot_xmin``, PostgreSQL documentation section 9.27.12), so their events have been heard; those above it are
looked at again, and the few that were heard already are known by name.

Events may come in another order than their numbers; those of one transaction never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import DDL, Row, delete, event, func, select, text
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.sessions.models import LiveEvent

#: Events older than this have been heard by everybody who is alive.
EVENT_LIFE = timedelta(hours=1)
#: PostgreSQL tells those who LISTEN on this channel as soon as an event is committed.
CHANNEL = "helpouts_live"
NOTIFY_POSTGRESQL = [
    f"""
CREATE OR REPLACE FUNCTION live_event_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('{CHANNEL}', '');
  RETURN NULL;
END $$""",
    """
CREATE TRIGGER live_event_notify AFTER INSERT ON live_event
  FOR EACH STATEMENT EXECUTE FUNCTION live_event_notify()""",
]
for _statement in NOTIFY_POSTGRESQL:
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy 2.1's DDL
    event.listen(LiveEvent.__table__, "after_create", _ddl.execute_if(dialect="postgresql"))

_LATER_POSTGRESQL = text(
    """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, seq, xact
FROM (SELECT 1) AS once LEFT JOIN live_event ON xact >= :horizon"""
)


@dataclass(frozen=True, slots=True)
class Position:
    """What has been heard: all below the horizon (a transaction's id; on SQLite an event's number), and ``heard``."""

    horizon: int
    heard: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Heard:
    """One event: ``topic`` is "room:{room id}" or "desk:{user id}"."""

    topic: str
    payload: dict[str, Any]


def now_at(db: DbSession) -> Position:
    """The position of somebody who begins to listen: what is there now counts as heard."""
    if db.get_bind().dialect.name == "sqlite":
        return Position(db.scalar(select(func.max(LiveEvent.seq))) or 0)
    return _look(db, 0)[1]


def later(db: DbSession, position: Position) -> tuple[list[Heard], Position]:
    """What has happened since, and where the next look begins."""
    if db.get_bind().dialect.name == "sqlite":
        numbers = db.scalars(select(LiveEvent.seq).where(LiveEvent.seq > position.horizon)).all()
        after = Position(max(numbers, default=position.horizon))
    else:
        seen, after = _look(db, position.horizon)
        numbers = [row.seq for row in seen if row.seq not in position.heard]
    if not numbers:
        return [], after
    rows = db.scalars(select(LiveEvent).where(LiveEvent.seq.in_(numbers)).order_by(LiveEvent.seq))
    return [Heard(row.topic, row.payload) for row in rows], after


def _look(db: DbSession, horizon: int) -> tuple[Sequence[Row[Any]], Position]:
    rows = db.execute(_LATER_POSTGRESQL, {"horizon": horizon}).all()
    fresh: int = rows[0].horizon
    seen = [row for row in rows if row.seq is not None]
    return seen, Position(fresh, frozenset(row.seq for row in seen if row.xact >= fresh))


def tidy(db: DbSession) -> None:
    """Delete what everybody has heard.  The newest row stays: SQLite would give its number to the next one."""
    newest = select(func.max(LiveEvent.seq)).scalar_subquery()
    db.execute(delete(LiveEvent).where(LiveEvent.created_at < clock.now() - EVENT_LIFE, LiveEvent.seq < newest))
