"""Who must hear that somebody's free time has changed.

Whatever changes it (hours, a booking, an event of another calendar) calls :func:`touch` in its own transaction; the
worker then tells the listeners, each person once however often they were touched.  Nothing that must be right at the
moment of a booking may depend on it: the engine reads the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.db.inserts import Inserted
from helpouts.db.later import later
from helpouts.jobs.service import handler
from helpouts.scheduling.models import TouchedTime

Listener = Callable[[Session, Collection[int]], None]
#: People told of in one transaction.
BATCH = 200
_listeners: list[Listener] = []
_TOUCH = Inserted(TouchedTime.__table__, ("user_id", "touched_at"), or_nothing=True)


def listen(function: Listener) -> Listener:
    """Have ``function(db, user_ids)`` called, in the worker, after the free time of these people has changed."""
    _listeners.append(function)
    return function


def touch(db: Session, user_ids: Iterable[int]) -> None:
    """Note, in the caller's transaction, that the free time of these people has changed."""
    now = clock.now()
    later(db, _TOUCH, *({"user_id": user_id, "touched_at": now} for user_id in sorted(set(user_ids))))


@handler("scheduling.changed", every_seconds=2)
def tell(db: Session, _payload: Mapping[str, Any]) -> None:
    """Tell the listeners of everybody who was touched."""
    oldest = select(TouchedTime.user_id).order_by(TouchedTime.touched_at).limit(BATCH)
    user_ids = db.scalars(oldest.with_for_update(skip_locked=True)).all()
    if not user_ids:
        return
    db.execute(delete(TouchedTime).where(TouchedTime.user_id.in_(user_ids)))
    for listener in _listeners:
        listener(db, user_ids)
