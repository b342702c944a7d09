"""One listing with its expert for the busiest pages, by statements that are put together once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from helpouts.accounts.models import User
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember, Listing
from helpouts.db.objects import attach
from helpouts.db.prepared import Prepared

_LISTING, _EXPERT = list(Listing.__table__.c), list(Expert.__table__.c)
_MEMBER, _FIELD = list(ExpertMember.__table__.c), list(ExpertCategory.__table__.c)
_USER = [column for column in User.__table__.c if column.key != "mf_recovery_codes"]
_BY_ID = Prepared(
    select(*_LISTING, *_EXPERT)
    .join_from(Listing, Expert, Expert.id == Listing.expert_id)
    .where(Listing.id == bindparam("listing"))
)
#: A row for each of the expert's people with each field of the expert.
_BY_SLUG = Prepared(
    select(*_LISTING, *_EXPERT, *_MEMBER, *_USER, *_FIELD)
    .join_from(Listing, Expert, Expert.id == Listing.expert_id)
    .join(ExpertMember, ExpertMember.expert_id == Expert.id)
    .join(User, User.id == ExpertMember.user_id)
    .outerjoin(ExpertCategory, ExpertCategory.expert_id == Expert.id)
    .where(Listing.slug == bindparam("slug"))
    .order_by(ExpertMember.id, ExpertCategory.id)
)


def listing(db: Session, listing_id: int) -> Listing | None:
    """The listing of that id, for reading: what the session knows of it already is not read anew."""
    row = _BY_ID.first(db, {"listing": listing_id})
    return None if row is None else _listing(db, *_split(row, _LISTING, _EXPERT))


def listing_by_slug(db: Session, slug: str) -> Listing | None:
    """The listing with that address; its expert's people and fields are read with it."""
    rows = [_split(row, _LISTING, _EXPERT, _MEMBER, _USER, _FIELD) for row in _BY_SLUG.all(db, {"slug": slug})]
    if not rows:
        return None
    found = _listing(db, rows[0][0], rows[0][1])
    members: dict[int, ExpertMember] = {}
    fields: dict[int, ExpertCategory] = {}
    for _of_listing, _of_expert, member, user, field in rows:
        if member["id"] not in members:
            members[member["id"]] = attach(db, ExpertMember, member)
            set_committed_value(members[member["id"]], "user", attach(db, User, user))
        if field["id"] is not None and field["id"] not in fields:
            fields[field["id"]] = attach(db, ExpertCategory, field)
    set_committed_value(found.expert, "members", list(members.values()))
    set_committed_value(found.expert, "categories", list(fields.values()))
    return found


def _listing(db: Session, values: Mapping[str, Any], of_expert: Mapping[str, Any]) -> Listing:
    found = attach(db, Listing, values)
    set_committed_value(found, "expert", attach(db, Expert, of_expert))
    return found


def _split(row: Sequence[Any], *parts: Sequence[Any]) -> list[dict[str, Any]]:
    values = iter(row)
    return [{column.key: next(values) for column in part} for part in parts]
