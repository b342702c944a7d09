"""One listing with its expert for the busiest pages, by statements that are put together once."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from helpouts.catalog.models import Expert, Listing
from helpouts.db.prepared import Prepared, attach

_LISTING, _EXPERT = list(Listing.__table__.c), list(Expert.__table__.c)
_BY_ID = Prepared(
    select(*_LISTING, *_EXPERT)
    .join_from(Listing, Expert, Expert.id == Listing.expert_id)
    .where(Listing.id == bindparam("listing"))
)


def listing(db: Session, listing_id: int) -> Listing | None:
    """The listing of that id, for reading: what the session knows of it already is not read anew."""
    row = _BY_ID.first(db, {"listing": listing_id})
    if row is None:
        return None
    split = len(_LISTING)
    found = attach(db, Listing, {column.key: value for column, value in zip(_LISTING, row[:split], strict=True)})
    expert = attach(db, Expert, {column.key: value for column, value in zip(_EXPERT, row[split:], strict=True)})
    set_committed_value(found, "expert", expert)
    return found
