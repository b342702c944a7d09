"""When the index is brought up to date.

* A listing, an expert or a member changes: in the same transaction, at its commit or at the next search in it.
* Somebody's free time changes: by the worker, a moment later (:mod:`helpouts.scheduling.changes`); until then a search
  asks the exact engine about those whom it shows.
* Time passes: rows say themselves when they are due (a new day, the end of a run of free starts, a hold that lapses).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, UOWTransaction

from helpouts.catalog.models import Expert, ExpertMember, Listing, ListingMember
from helpouts.clock import clock
from helpouts.finding import index
from helpouts.finding.models import ListingSearch
from helpouts.jobs.service import enqueue, handler
from helpouts.plugins.models import SiteSetting
from helpouts.scheduling import changes
from helpouts.scheduling.zones import to_minute

#: Rows that one job refreshes; more that are due get another job at once.
AT_ONCE = 500
_KEY = "helpouts.finding.pending"


def pending(db: Session) -> dict[str, set[int]]:
    """What has changed in this transaction and is not yet in the index: ids of listings and of experts."""
    found: dict[str, set[int]] = db.info.setdefault(_KEY, {"listings": set(), "experts": set()})
    return found


def catch_up(db: Session) -> None:
    """Bring the index up to date with what this transaction has changed."""
    waiting = pending(db)
    if not (waiting["listings"] or waiting["experts"]):
        return
    ids, experts = set(waiting["listings"]), list(waiting["experts"])
    waiting["listings"].clear()
    waiting["experts"].clear()
    if experts:
        ids.update(db.scalars(select(Listing.id).where(Listing.expert_id.in_(experts))))
    index.refresh(db, ids)


@event.listens_for(Session, "after_flush")
def _noted(db: Session, _context: UOWTransaction) -> None:
    for thing in (*db.new, *db.dirty, *db.deleted):
        if isinstance(thing, Listing) and thing.id is not None:
            pending(db)["listings"].add(thing.id)
        elif isinstance(thing, ListingMember) and thing.listing_id is not None:
            pending(db)["listings"].add(thing.listing_id)
        elif isinstance(thing, Expert) and thing.id is not None:
            pending(db)["experts"].add(thing.id)
        elif isinstance(thing, ExpertMember) and thing.expert_id is not None:
            pending(db)["experts"].add(thing.expert_id)
        elif isinstance(thing, SiteSetting) and thing.key.startswith("rank_"):
            db.execute(update(ListingSearch).values(due_at=0))


@event.listens_for(Session, "before_commit")
def _committing(db: Session) -> None:
    if _KEY in db.info and not db.in_nested_transaction():
        db.flush()
        catch_up(db)


@event.listens_for(Session, "after_rollback")
def _forgotten(db: Session) -> None:
    db.info.pop(_KEY, None)


@changes.listen
def freed(db: Session, user_ids: Collection[int]) -> None:
    """Free time of these people has changed."""
    index.refresh(db, index.listings_of_users(db, user_ids))


@handler("finding.due", every_seconds=30)
def refresh_due(db: Session, _payload: Mapping[str, Any]) -> None:
    """Refresh the rows whose time has come, and add listings that have none yet (after an update of Helpouts)."""
    due = select(ListingSearch.listing_id).where(ListingSearch.due_at <= to_minute(clock.now()))
    ids = list(db.scalars(due.order_by(ListingSearch.due_at, ListingSearch.listing_id).limit(AT_ONCE)))
    if len(ids) < AT_ONCE:
        missing = (
            select(Listing.id)
            .join(Expert)
            .outerjoin(ListingSearch, ListingSearch.listing_id == Listing.id)
            .where(Listing.state == "live", Expert.state == "active", ListingSearch.listing_id.is_(None))
        )
        ids += db.scalars(missing.order_by(Listing.id).limit(AT_ONCE - len(ids)))
    index.refresh(db, ids)
    if len(ids) == AT_ONCE:
        enqueue(db, "finding.due", max_attempts=3)
