"""The experts' desk at a glance: what comes, what was earned, what is to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from helpouts.audit.models import Transition
from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.payments import service as money
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import has_hours
from helpouts.sessions.models import Session as Room

#: Steps of a listing whose reason the expert should read.
_TOLD = ("decline", "decline_edit", "suspend")


@dataclass(frozen=True, slots=True)
class Coming:
    """A session to come; ``room_id`` is "" before there is a room."""

    booking: Booking
    room_id: str


@dataclass(frozen=True, slots=True)
class OwnListing:
    """One of the expert's listings, and what the operators said about it."""

    listing: Listing
    category: str
    reason: str
    paused: bool

    @property
    def next_step(self) -> str:
        """What to do about it, in words; "" when nothing is to do."""
        if self.paused:
            return _("This field is switched off at the moment; nobody can book.")
        if self.listing.pending is not None:
            return _("Your changes wait for review; the present version stays live.")
        texts = {
            "draft": _("Hand it in for review when it is ready."),
            "in_review": _("We look at it and write to you."),
            "declined": _("Change what was said, then hand it in again."),
            "suspended": _("Change what was said; we put it back when it is settled."),
        }
        return texts.get(self.listing.state, "")


@dataclass(frozen=True, slots=True)
class Task:
    """One point of the checklist: ``key`` is "hours", "wallet", "profile" or "listing"."""

    key: str
    label: str
    done: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the desk shows."""

    coming: Sequence[Coming]
    listings: Sequence[OwnListing]
    retired: int
    earnings: Sequence[Any]
    tasks: Sequence[Task]
    wallet_url: str


def overview(db: Session, expert: Expert, user_id: int) -> Overview:
    """The desk of an expert as the member ``user_id`` sees it."""
    listings = _listings(db, expert)
    shown = [item for item in listings if item.listing.state != "retired"]
    owner_id = expert.owner.id
    ready = money.ready_to_be_paid(db, owner_id)
    paid = any(item.listing.pricing != "free" for item in shown)
    tasks = [
        Task("hours", _("Set your hours"), has_hours(db, user_id)),
        Task("wallet", _("Connect your wallet, so that you can be paid"), ready),
        Task("profile", _("Tell people who you are"), bool(expert.headline and expert.bio)),
        Task("listing", _("Write your first listing and hand it in"), any(i.listing.state != "draft" for i in shown)),
    ]
    if not ready and not paid and any(item.listing.state == "live" for item in shown):
        tasks = [task for task in tasks if task.key != "wallet"]  # somebody who only gives needs no wallet
    return Overview(
        coming=_coming(db, user_id),
        listings=shown,
        retired=len(listings) - len(shown),
        earnings=money.earnings(db, owner_id),
        tasks=tasks,
        wallet_url="" if ready else money.setup_url(db, owner_id),
    )


def _coming(db: Session, user_id: int) -> list[Coming]:
    now = clock.now()
    rows = (
        select(Booking, Room.room_id)
        .outerjoin(Room, Room.booking_id == Booking.id)
        .where(
            Booking.host_id == user_id,
            Booking.state.in_(LIVE_STATES),
            Booking.ends_at > now,
            or_(Booking.state != "held", Booking.held_until > now),
        )
        .order_by(Booking.starts_at)
        .limit(10)
    )
    return [Coming(booking, room_id or "") for booking, room_id in db.execute(rows)]


def _listings(db: Session, expert: Expert) -> list[OwnListing]:
    registry = runtime_of(db).registry
    enabled = registry.categories(db)
    listings = db.scalars(select(Listing).where(Listing.expert_id == expert.id).order_by(Listing.id)).all()
    steps = (
        select(Transition.subject_id, Transition.event, Transition.reason)
        .where(Transition.machine == "listing", Transition.subject_id.in_([listing.id for listing in listings]))
        .order_by(Transition.id)
    )
    last = {subject: reason if event in _TOLD else "" for subject, event, reason in db.execute(steps)}
    return [
        OwnListing(
            listing,
            in_language(registry.category(listing.category).name),
            last.get(listing.id, ""),
            listing.category not in enabled,
        )
        for listing in listings
    ]
