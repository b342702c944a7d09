"""Who of a company serves a listing, and by which rule: it changes at once, without a review."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from helpouts.audit.actor import Actor
from helpouts.catalog.models import Listing, ListingMember
from helpouts.catalog.service import check_editor
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l

#: How :attr:`~helpouts.catalog.models.Listing.serving` may name the member who is taken.
SERVING = ("any", "priority")


def members_of(db: Session, listing: Listing) -> list[int]:
    """User ids of the members named for the listing, the first to be asked first; none means all of the expert's."""
    query = select(ListingMember.user_id).where(ListingMember.listing_id == listing.id)
    return list(db.scalars(query.order_by(ListingMember.priority, ListingMember.user_id)))


def save_serving(
    db: Session, listing: Listing, serving: str, host_choice: bool, members: Iterable[int], actor: Actor
) -> None:
    """Say who serves a listing.

    :param serving: one of :data:`SERVING`; see :mod:`helpouts.scheduling.hosts`.
    :param host_choice: whether customers may ask for a member by name.
    :param members: user ids in the order of their priority; none for all members of the expert.
    :raises HelpoutsError: for a rule or a member that there is not; ``field`` names it.
    :raises NotAllowed: when the actor does not write this expert's listings.
    """
    check_editor(listing.expert, actor)
    if serving not in SERVING:
        raise HelpoutsError(_l("Choose from the list."), field="serving")
    chosen = list(dict.fromkeys(members))
    if not {member.user_id for member in listing.expert.members}.issuperset(chosen):
        raise HelpoutsError(_l("Choose members of your company."), field="members")
    from helpouts.scheduling import changes

    changed = (listing.serving, listing.host_choice, members_of(db, listing)) != (serving, bool(host_choice), chosen)
    if not changed:
        return
    listing.serving, listing.host_choice = serving, bool(host_choice)
    flag_modified(listing, "serving")  # its version grows, so that a booking that is being made looks again
    db.execute(delete(ListingMember).where(ListingMember.listing_id == listing.id))
    db.add_all(
        ListingMember(listing_id=listing.id, user_id=user_id, priority=place) for place, user_id in enumerate(chosen)
    )
    db.flush()
    changes.touch(db, [member.user_id for member in listing.expert.members])
