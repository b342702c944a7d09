"""Who belongs to a company: parts, and leaving.  Nobody goes while people count on meeting them."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.accounts.service import revoke_role
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.bookings.models import LIVE_STATES, Booking
from helpouts.catalog.models import Expert, ExpertMember, Listing, ListingMember
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.i18n import plural
from helpouts.scheduling import changes

#: What a member may be beside the owner: managers write the listings and invite, members serve.
ROLES = ("manager", "member")


def role_in(expert: Expert, user_id: int | None) -> str:
    """ "owner", "manager", "member", or "" for somebody else."""
    return next((member.role for member in expert.members if member.user_id == user_id), "")


def member_of(expert: Expert, user_id: int) -> ExpertMember:
    """The membership of that person.

    :raises NotFound: when there is none (any more).
    """
    for member in expert.members:
        if member.user_id == user_id:
            return member
    raise NotFound(_l("This person does not belong to your company any more."))


def set_role(db: Session, expert: Expert, user_id: int, role: str, actor: Actor) -> None:
    """Make a member a manager, or a manager a member; only the owner does that.

    :raises NotAllowed: somebody else asks, or the owner's own part is meant.
    """
    member = member_of(_locked(db, expert), user_id)
    if role_in(expert, actor.user_id) != "owner" or member.role == "owner":
        raise NotAllowed(_l("Only the owner of the company gives others their part."))
    if role not in ROLES:
        raise HelpoutsError(_l("Choose from the list."), field="role")
    if member.role != role:
        member.role = role
        record(db, actor, "company.role", expert, user=user_id, role=role)


def hand_over(db: Session, expert: Expert, user_id: int, actor: Actor) -> None:
    """Make a member the owner; the owner becomes a manager.

    The earnings of the company are the expert's own and stay where they are.

    :raises NotAllowed: when the actor is not the owner.
    """
    member = member_of(_locked(db, expert), user_id)
    if role_in(expert, actor.user_id) != "owner":
        raise NotAllowed(_l("Only the owner can hand the company over."))
    if member.role != "owner":
        before = member_of(expert, actor.user_id or 0)
        before.role, member.role = "manager", "owner"
        db.flush()
        record(db, actor, "company.hand_over", expert, user=user_id)


def remove(db: Session, expert: Expert, user_id: int, actor: Actor) -> None:
    """End somebody's membership, their own too: they serve no listing of the company any more.

    :raises NotAllowed: members remove nobody but themselves, managers no manager, and nobody the owner.
    :raises Conflict: sessions with the company's customers are still to come; they are to be moved or cancelled first.
    """
    member = member_of(_locked(db, expert), user_id)
    part, own = role_in(expert, actor.user_id), user_id == actor.user_id
    if member.role == "owner":
        raise NotAllowed(_l("The owner cannot leave: hand the company over first."))
    if not own and not (part == "owner" or (part == "manager" and member.role == "member")):
        raise NotAllowed(_l("You may not remove this person from the company."))
    waiting = sessions_ahead(db, expert, user_id)
    if waiting:
        text = plural(
            "%(num)s session with a customer is still to come: move or cancel it first.",
            "%(num)s sessions with customers are still to come: move or cancel them first.",
            waiting,
        )
        raise Conflict(text % {"num": waiting})
    listings = select(Listing.id).where(Listing.expert_id == expert.id)
    db.execute(delete(ListingMember).where(ListingMember.user_id == user_id, ListingMember.listing_id.in_(listings)))
    changes.touch(db, [other.user_id for other in expert.members])
    expert.members.remove(member)
    db.delete(member)
    db.flush()
    record(db, actor, "company.leave" if own else "company.remove", expert, user=user_id)
    if db.scalar(select(ExpertMember.id).where(ExpertMember.user_id == user_id).limit(1)) is None:
        revoke_role(db, db.get_one(User, user_id), "expert", actor)


def sessions_ahead(db: Session, expert: Expert, user_id: int) -> int:
    """How many sessions that person still has to give for the company."""
    query = select(func.count(Booking.id)).where(
        Booking.host_id == user_id,
        Booking.expert_id == expert.id,
        Booking.state.in_(LIVE_STATES),
        Booking.ends_at > clock.now(),
    )
    return db.scalar(query) or 0


def _locked(db: Session, expert: Expert) -> Expert:
    """The company, one change of its members after the other, with what the one before has changed."""
    db.refresh(expert, with_for_update={"of": Expert})
    db.refresh(expert, ["members"])
    return expert
