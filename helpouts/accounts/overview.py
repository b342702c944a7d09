"""What "My Helpouts" shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.catalog.models import ExpertMember

PER_PAGE = 20
#: What a user agent says of itself, and what people call it; the first that fits counts.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Overview:
    """A person's bookings as a customer.

    :param upcoming: live ones that are not over, the next one first.
    :param past: one page of the others, the latest first.
    """

    upcoming: Sequence[Booking]
    past: Sequence[Booking]
    page: int
    pages: int
    is_expert: bool


def overview(db: Session, user: User, now: datetime, page: int = 1) -> Overview:
    """Collect the bookings of ``user``; ``page`` (from 1) is the page of the past."""
    # Requests for help now that nobody has accepted are no bookings.
    mine = and_(Booking.customer_id == user.id, or_(Booking.kind != "instant", Booking.confirmed_at.is_not(None)))
    still_to_come = and_(
        Booking.state.in_(LIVE_STATES),
        Booking.ends_at > now,
        or_(Booking.state != "held", Booking.held_until.is_(None), Booking.held_until > now),
    )
    upcoming = db.scalars(select(Booking).where(mine, still_to_come).order_by(Booking.starts_at).limit(100)).unique()
    over = select(Booking).where(mine, ~still_to_come)
    count = db.scalar(select(func.count()).select_from(Booking).where(mine, ~still_to_come)) or 0
    pages = max(1, -(-count // PER_PAGE))
    page = min(page, pages)
    past = db.scalars(
        over.order_by(Booking.starts_at.desc(), Booking.id.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    ).unique()
    member = db.scalar(select(ExpertMember.id).where(ExpertMember.user_id == user.id).limit(1))
    return Overview(list(upcoming), list(past), page, pages, member is not None)


def browser_name(agent: str) -> str:
    """A user agent in two words, "Firefox, Linux"; what is not known is shown as it is."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return ", ".join(part for part in (browser, system) if part) or agent
