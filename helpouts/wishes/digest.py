"""The mails of saved searches: what is new, at most once a day for each search, never the same listing twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.i18n import current_zone, use_locale
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue, handler
from helpouts.mail.service import queue_mail
from helpouts.notices.service import notify
from helpouts.runtime import runtime_of
from helpouts.wishes import saved as searches
from helpouts.wishes.cards import cards_of
from helpouts.wishes.models import SavedSearch, SavedSearchHit

#: At most one mail of a search in this time.
EVERY = timedelta(hours=24)
#: Searches whose mails are written in one transaction.
BATCH = 100
#: Listings that a mail shows; of more it gives the number.
MOST_CARDS = 10


@handler("wishes.digest", every_seconds=300)
def send_due(db: Session, _payload: Mapping[str, Any]) -> None:
    """Write the mails of the searches that have something new and have not written for a day."""
    waits = exists().where(SavedSearchHit.search_id == SavedSearch.id, SavedSearchHit.told_at.is_(None))
    rested = or_(SavedSearch.mailed_at.is_(None), SavedSearch.mailed_at <= clock.now() - EVERY)
    due = (
        select(SavedSearch)
        .join(User, User.id == SavedSearch.user_id)
        .where(waits, rested, SavedSearch.paused.is_(False), User.active.is_(True))
        .order_by(SavedSearch.id)
        .limit(BATCH)
        .with_for_update(of=SavedSearch, skip_locked=True)
    )
    found = db.scalars(due).unique().all()
    for saved in found:
        _tell(db, saved)
    if len(found) == BATCH:
        enqueue(db, "wishes.digest", max_attempts=3)


def _tell(db: Session, saved: SavedSearch) -> None:
    waiting = (SavedSearchHit.search_id == saved.id, SavedSearchHit.told_at.is_(None))
    order = (SavedSearchHit.found_at, SavedSearchHit.id)
    listing_ids = db.scalars(select(SavedSearchHit.listing_id).where(*waiting).order_by(*order)).all()
    cards = cards_of(db, listing_ids)
    shown = [card.id for card in cards]
    # What has gone off the site since may come back, and is news then.
    db.execute(delete(SavedSearchHit).where(*waiting, SavedSearchHit.listing_id.not_in(shown)))
    if not cards:
        return
    now = clock.now()
    db.execute(update(SavedSearchHit).where(*waiting).values(told_at=now))
    saved.mailed_at = now
    with use_locale(saved.user.locale, saved.user.zone or "UTC"):
        link = urlencode(query_of_link(saved), doseq=True)
    base = runtime_of(db).config.public_url.rstrip("/")
    stop = f"{base}/alerts/stop/{searches.stop_token(db, saved)}"
    queue_mail(
        db,
        saved.user.email,
        "search_alert",
        saved.user.locale,
        saved.user.zone or "UTC",
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        name=saved.user.name,
        search=saved,
        cards=cards[:MOST_CARDS],
        count=len(cards),
        more=len(cards) - MOST_CARDS,
        search_url=f"{base}/search?{link}",
        stop_url=stop,
    )
    notify(db, saved.user_id, "alert", _l("New matches for your search"), cards[0].title, f"/search?{link}")


def query_of_link(saved: SavedSearch) -> dict[str, list[str]]:
    """The stored search as parameters of the search page, its time on the clock of the zone in force."""
    query = {name: list(values) for name, values in saved.query.items()}
    if saved.free_from is not None and saved.free_until is not None:
        around = (saved.free_until - saved.free_from) // 2
        local = (saved.free_from + around).astimezone(ZoneInfo(current_zone()))
        query |= {
            "date": [local.date().isoformat()],
            "time": [local.strftime("%H:%M")],
            "around": [str(around // timedelta(minutes=1))],
        }
    return query
