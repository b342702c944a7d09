"""Cards of listings whose ids are known."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, contains_eager, lazyload

from helpouts.accounts.models import User
from helpouts.catalog.cards import ListingCard, listing_card
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import next_free


def cards_of(db: Session, listing_ids: Sequence[int]) -> list[ListingCard]:
    """The cards of these listings in this order, without those that are not on sale at the moment."""
    if not listing_ids:
        return []
    chosen = (
        select(Listing, func.coalesce(User.avatar, ""))
        .join(Expert, Expert.id == Listing.expert_id)
        .outerjoin(ExpertMember, and_(ExpertMember.expert_id == Expert.id, ExpertMember.role == "owner"))
        .outerjoin(User, User.id == ExpertMember.user_id)
        .options(contains_eager(Listing.expert).options(lazyload(Expert.members), lazyload(Expert.categories)))
        .where(
            Listing.id.in_(list(listing_ids)),
            Listing.state == "live",
            Expert.state == "active",
            Listing.category.in_(list(runtime_of(db).registry.categories(db))),
        )
    )
    rows = {listing.id: (listing, avatar) for listing, avatar in db.execute(chosen)}
    free = next_free(db, [listing for listing, _avatar in rows.values()])
    found = [rows[listing_id] for listing_id in listing_ids if listing_id in rows]
    return [listing_card(listing, listing.expert, free[listing.id], avatar) for listing, avatar in found]
