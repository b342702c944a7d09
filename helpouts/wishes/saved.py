"""Saving a search and what its owner does with it afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.catalog.queries import FACET_PREFIX, search
from helpouts.catalog.records import SearchRequest
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.runtime import runtime_of
from helpouts.wishes import hits
from helpouts.wishes.models import SavedSearch

#: Searches that one person can keep.
MOST_SEARCHES = 30
NAME_LENGTH = 80
#: Listings that fit already when a search is saved, at most: they were on the screen, no mail tells of them.
MOST_KNOWN = 300
_KNOWN_PAGE = 100
#: A search for an instant accepts this many minutes earlier and later even when it asks for less.
LEAST_AROUND = 15
_SALT = "helpouts.wishes.stop"


def query_of(request: SearchRequest) -> dict[str, list[str]]:
    """The search as parameters of the search page, without order, page, "now" and the time (which has columns)."""
    values = {
        "q": " ".join(request.q.split()),
        "category": request.category,
        "sub": request.subcategory,
        "price": request.price,
        "price_min": "" if request.price_min is None else str(request.price_min // 100),
        "price_max": "" if request.price_max is None else str(request.price_max // 100),
        "language": request.language,
        "rating_min": str(request.rating_min or ""),
    }
    query = {name: [value] for name, value in values.items() if value}
    for facet in sorted(request.facets):
        chosen = sorted({value for value in request.facets[facet] if value})
        if chosen:
            query[FACET_PREFIX + facet] = chosen
    return query


def save(db: Session, user: User, request: SearchRequest, name: str) -> SavedSearch:
    """Keep a search and tell its owner from now on when something new fits; the same search is kept once.

    :raises HelpoutsError: without anything to look for, with too many searches, or for a name that does not fit.
    """
    query = query_of(request)
    window = wished_time(request)
    if not query and window is None:
        raise HelpoutsError(_l("Look for something first: words, a field or a time."))
    key = _key(query, window)
    known = db.scalar(select(SavedSearch).where(SavedSearch.user_id == user.id, SavedSearch.key == key))
    if known is not None:
        known.paused = False
        return known
    count = db.scalar(select(func.count()).where(SavedSearch.user_id == user.id)) or 0
    if count >= MOST_SEARCHES:
        raise HelpoutsError(_l("You have saved %(most)s searches: delete one of them first.", most=MOST_SEARCHES))
    saved = SavedSearch(
        user=user,
        name=clean_name(name),
        query=query,
        key=key,
        category=request.category,
        subcategory=request.subcategory,
        language=request.language,
        price=request.price,
        price_min=request.price_min,
        price_max=request.price_max,
        rating_min=request.rating_min,
        free_from=window[0] if window else None,
        free_until=window[1] if window else None,
    )
    db.add(saved)
    db.flush()
    hits.note(db, {saved.id: _fitting_now(db, request)}, told=True)
    return saved


def clean_name(name: str) -> str:
    """The name of a search, tidied.

    :raises HelpoutsError: when it is empty or too long.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise HelpoutsError(_l("Give it a name."), field="name")
    if len(name) > NAME_LENGTH:
        raise HelpoutsError(_l("At most %(most)s characters fit.", most=NAME_LENGTH), field="name")
    return name


def searches_of(db: Session, user_id: int) -> list[SavedSearch]:
    """A person's searches, the newest first."""
    mine = select(SavedSearch).where(SavedSearch.user_id == user_id)
    return list(db.scalars(mine.order_by(SavedSearch.id.desc())).unique())


def own_search(db: Session, user_id: int, search_id: int) -> SavedSearch:
    """A search of that person.

    :raises NotFound: otherwise, whether it exists or not.
    """
    saved = db.get(SavedSearch, search_id)
    if saved is None or saved.user_id != user_id:
        raise NotFound(_l("You have no such search."))
    return saved


def is_over(saved: SavedSearch) -> bool:
    """Whether the time that the search asks for has passed: it finds nothing any more."""
    return saved.free_until is not None and saved.free_until <= clock.now()


def wished_time(request: SearchRequest) -> tuple[datetime, datetime] | None:
    """First and last start that the search accepts, or None when it asks for no time."""
    if request.free_at is None:
        return None
    around = timedelta(minutes=max(request.around_minutes, LEAST_AROUND))
    return request.free_at - around, request.free_at + around


def stop_token(db: Session, saved: SavedSearch) -> str:
    """What a mail carries so that its reader can stop the mails without signing in; it opens nothing else."""
    return str(_signer(db).dumps(saved.id))


def by_stop_token(db: Session, token: str) -> SavedSearch:
    """The search that a mail's link belongs to.

    :raises NotFound: for a link that we have not made, or when the search is deleted: no more mails come then.
    """
    try:
        search_id = _signer(db).loads(token)
    except BadData:
        search_id = None
    saved = db.get(SavedSearch, search_id) if isinstance(search_id, int) else None
    if saved is None:
        raise NotFound(_l("This search is deleted, or the link is incomplete: no more mails come from it."))
    return saved


def _signer(db: Session) -> URLSafeSerializer:
    return URLSafeSerializer(runtime_of(db).config.key("secret_key"), salt=_SALT)


def _key(query: Mapping[str, Any], window: Any) -> str:
    said = [query, [at.isoformat() for at in window] if window else None]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _fitting_now(db: Session, request: SearchRequest) -> list[int]:
    """Ids of the listings that the search shows at this moment."""
    found: list[int] = []
    for number in range(1, MOST_KNOWN // _KNOWN_PAGE + 1):
        page = search(db, replace(request, sort="relevance", available_now=False, page=number, per_page=_KNOWN_PAGE))
        found += [card.id for card in page.items]
        if number >= page.pages:
            break
    return found
