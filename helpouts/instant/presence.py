"""Who is available now.

The switch is a wish and stays as it is; it counts while one of the person's devices is connected.  Each live node
promises, in one statement every :data:`BEAT` seconds for all its people, that they are there for another :data:`LAPSE`.
When the last device of a person on a node says goodbye the promise is cut to :data:`GOODBYE`, which is long enough for
the next page to open; a device that falls silent, and a node that dies, let it run out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, delete, exists, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from helpouts.bookings.models import Booking
from helpouts.catalog.models import ExpertMember
from helpouts.clock import clock
from helpouts.db.prepared import Prepared
from helpouts.db.types import UTCDateTime
from helpouts.errors import NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.instant.models import AvailableSwitch, DevicePresence

LAPSE = timedelta(seconds=45)
BEAT = timedelta(seconds=10)
GOODBYE = timedelta(seconds=15)
#: The session that must fit before the next booking, where the caller names no length.
USUAL_MINUTES = 30


def present_users(now: datetime) -> Select[tuple[int]]:
    """User ids whose switch is on and of whom a device is connected, whether they have time or not."""
    query: Select[tuple[int]] = _present(now)[0]
    return query


def _present(now: datetime | BindParameter[Any]) -> tuple[Any, Any]:
    switch = aliased(AvailableSwitch)  # aliases: whoever builds upon this may have the same tables around it
    here = exists().where(DevicePresence.user_id == switch.user_id, DevicePresence.until > now).correlate(switch)
    return select(switch.user_id).where(switch.is_on.is_(True), here), switch


def available_users(now: datetime, minutes: int = USUAL_MINUTES) -> Select[tuple[int]]:
    """User ids that are available now: present, in no session, with no booking that begins within ``minutes``.

    A subquery to build upon (``ExpertMember.user_id.in_(available_users(now))``).  The pause that a person wants
    between sessions is checked when somebody is asked (:mod:`helpouts.instant.matching`).
    """
    return _available(now, now + timedelta(minutes=minutes))


def _available(now: datetime | BindParameter[Any], then: datetime | BindParameter[Any]) -> Select[tuple[int]]:
    soon = and_(Booking.starts_at < then, Booking.ends_at > now)
    taken = or_(
        Booking.state == "in_session",
        and_(Booking.state == "confirmed", soon),
        and_(Booking.state == "held", soon, Booking.held_until > now),
    )
    query, switch = _present(now)
    # Two anti-joins, each along an index of its own.
    hosting = exists().where(Booking.host_id == switch.user_id, taken).correlate(switch)
    visiting = exists().where(Booking.customer_id == switch.user_id, taken).correlate(switch)
    available: Select[tuple[int]] = query.where(~hosting, ~visiting)
    return available


#: :func:`available_users` put together once; the statement around it is given :func:`moment`.
AVAILABLE_USERS = _available(bindparam("now", type_=UTCDateTime), bindparam("shortly", type_=UTCDateTime))


def moment(now: datetime) -> dict[str, datetime]:
    """The parameters of :data:`AVAILABLE_USERS`."""
    return {"now": now, "shortly": now + timedelta(minutes=USUAL_MINUTES)}


def any_switch_on(db: Session, expert_id: int) -> bool:
    """Whether anybody of an expert wants to be available; nobody else can be asked for them, nor has a line."""
    return _SWITCHED.first(db, {"expert": expert_id}) is not None


_SWITCHED = Prepared(
    select(AvailableSwitch.user_id)
    .join(ExpertMember, ExpertMember.user_id == AvailableSwitch.user_id)
    .where(ExpertMember.expert_id == bindparam("expert"), AvailableSwitch.is_on.is_(True))
    .limit(literal_column("1"))
)


def is_on(db: Session, user_id: int) -> bool:
    """How the person's switch stands."""
    row = db.get(AvailableSwitch, user_id)
    return row is not None and row.is_on


def turn(db: Session, user_id: int, on: bool) -> AvailableSwitch:
    """Turn the switch; turning it to where it stands changes nothing.

    :raises NotAllowed: for somebody who serves no listings.
    """
    if db.scalar(select(ExpertMember.id).where(ExpertMember.user_id == user_id).limit(1)) is None:
        raise NotAllowed(_l("Only experts can be available for help right now."))
    _upsert(db, AvailableSwitch, [{"user_id": user_id, "is_on": False, "changed_at": clock.now(), "missed": 0}])
    db.execute(
        update(AvailableSwitch)
        .where(AvailableSwitch.user_id == user_id, AvailableSwitch.is_on != on)
        .values(is_on=on, changed_at=clock.now(), missed=0)
    )
    row = db.get_one(AvailableSwitch, user_id)
    db.refresh(row)
    return row


def beat(db: Session, node: str, user_ids: Iterable[int]) -> None:
    """These people have a device on this node: all of them in one statement."""
    until = clock.now() + LAPSE
    _upsert(db, DevicePresence, [{"user_id": key, "node": node, "until": until} for key in sorted(user_ids)], "until")


def goodbye(db: Session, node: str, user_ids: Iterable[int]) -> None:
    """The last device of these people on this node has gone: they have a moment to come back."""
    until = clock.now() + GOODBYE
    mine = (DevicePresence.node == node, DevicePresence.user_id.in_(list(user_ids)), DevicePresence.until > until)
    db.execute(update(DevicePresence).where(*mine).values(until=until))


def forget_old(db: Session) -> None:
    """Remove what nobody will ask for again."""
    db.execute(delete(DevicePresence).where(DevicePresence.until < clock.now() - timedelta(days=1)))


def _upsert(db: Session, model: type, rows: list[dict[str, object]], *changed: str) -> None:
    insert = sqlite.insert if db.get_bind().dialect.name == "sqlite" else postgresql.insert
    for first in range(0, len(rows), 1000):
        statement = insert(model).values(rows[first : first + 1000])
        if changed:
            keys = list(model.__table__.primary_key)  # type: ignore[attr-defined]  # a mapped class has one
            values = {name: statement.excluded[name] for name in changed}
            db.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
        else:
            db.execute(statement.on_conflict_do_nothing())
