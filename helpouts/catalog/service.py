"""The verbs of experts and listings.

Services take a session and plain values, know no web framework and never commit: the caller does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.catalog.slugs import free_slug
from helpouts.catalog.states import EXPERT, LISTING
from helpouts.catalog.validation import EDITABLE, clean
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.mail.service import queue_mail
from helpouts.runtime import runtime_of

#: Who of an expert's members may write its listings; the others only serve them.
EDITORS = ("owner", "manager")
#: A draft is cheap, a thousand of them are not.
MOST_LISTINGS = 100


def expert_of(db: Session, user: User) -> Expert | None:
    """The expert that the user acts for: the one they own, else the one they joined first."""
    rows = select(Expert, ExpertMember.role).join(ExpertMember).where(ExpertMember.user_id == user.id)
    found = db.execute(rows.order_by(ExpertMember.id)).all()
    owned = [expert for expert, role in found if role == "owner"]
    return owned[0] if owned else found[0][0] if found else None


def may_edit(expert: Expert, actor: Actor) -> bool:
    """Whether the actor may write the expert's listings: its owner and managers, and the system itself (demo)."""
    if actor.kind == "system":
        return True
    return actor.user_id is not None and any(
        member.user_id == actor.user_id and member.role in EDITORS for member in expert.members
    )


def is_open(db: Session, listing: Listing) -> bool:
    """Whether the listing can be found and booked now: live, of an active expert, in an enabled category."""
    enabled = runtime_of(db).registry.categories(db)
    return listing.state == "live" and listing.expert.state == "active" and listing.category in enabled


def create_listing(db: Session, expert: Expert, values: Mapping[str, Any], actor: Actor) -> Listing:
    """A new draft.  ``values``: ``category`` and what :data:`~helpouts.catalog.validation.EDITABLE` names.

    :raises HelpoutsError: for a value that does not fit (``field`` names it).
    :raises NotAllowed: when the actor does not write this expert's listings.
    """
    check_editor(expert, actor)
    count = db.scalar(select(func.count()).where(Listing.expert_id == expert.id, Listing.state != "retired")) or 0
    if count >= MOST_LISTINGS:
        raise HelpoutsError(_l("You have %(most)s listings: retire one before you write another.", most=MOST_LISTINGS))
    cleaned = clean(db, expert, values)
    _check_duplicate(db, expert, cleaned["title"], None)
    slug = free_slug(db, Listing.slug, cleaned["title"], "session")
    listing = Listing(expert_id=expert.id, expert=expert, slug=slug, state="draft", **cleaned)
    db.add(listing)
    db.flush()
    return listing


def edit_listing(db: Session, listing: Listing, values: Mapping[str, Any], actor: Actor) -> Listing:
    """Change a listing.

    A draft, declined or suspended one changes at once.  One in review too, and the vetting rules judge it again.
    The edit of a live one waits for review in ``pending`` while the approved version stays live.

    :raises HelpoutsError: for a value that does not fit, or when a vetting rule says no.
    :raises Conflict: for a retired listing.
    """
    check_editor(listing.expert, actor)
    if listing.state == "retired":
        raise Conflict(_l("This listing is retired: write a new one."))
    cleaned = clean(db, listing.expert, {**values, "category": listing.category})
    _check_duplicate(db, listing.expert, cleaned["title"], listing)
    if listing.state == "live":
        changes = {key: cleaned[key] for key in EDITABLE if cleaned[key] != getattr(listing, key)}
        if changes:
            revised = _with(listing, changes)
            _check_payee(db, revised)
            _judge(db, revised)
            LISTING.apply(db, listing, "revise", actor)
        listing.pending = changes or None
    else:
        _put(listing, cleaned)
        listing.pending = None
        if listing.state == "in_review":
            _check_payee(db, listing)
            _judge(db, listing)
    db.flush()
    return listing


def submit(db: Session, listing: Listing, actor: Actor) -> None:
    """Hand a draft (or a declined listing, after changes) in for review.

    The enabled vetting rules judge it at once; one that fails refuses it with reasons that the expert can act on.

    :raises HelpoutsError: when a rule says no, or a paid listing's expert cannot be paid yet (``field`` "wallet").
    """
    check_editor(listing.expert, actor)
    if listing.expert.state != "active":
        raise NotAllowed(_l("Your expert profile is suspended: no listing can go live until that is settled."))
    if LISTING.find(listing.state, "submit") is None:
        raise Conflict(_l("This listing is already handed in, or it cannot be handed in any more."))
    clean(db, listing.expert, {key: getattr(listing, key) for key in ("category", *EDITABLE)})
    _check_payee(db, listing)
    _judge(db, listing)
    LISTING.apply(db, listing, "submit", actor)


def withdraw(db: Session, listing: Listing, actor: Actor) -> None:
    """Take a listing back out of review, or drop the edit of a live one that waits for review."""
    check_editor(listing.expert, actor)
    if listing.state == "live" and listing.pending is not None:
        listing.pending = None
        return
    LISTING.apply(db, listing, "withdraw", actor)


def approve(db: Session, listing: Listing, actor: Actor, reason: str = "", version: int | None = None) -> None:
    """Let a listing in review go live, or put the waiting edit of a live one into force.

    :param version: the ``Listing.version`` that the operator looked at; another one is refused.
    :raises Conflict: when there is nothing to approve, or the expert has changed it since.
    """
    if version is not None and version != listing.version:
        raise Conflict(_l("The expert has changed this listing since you opened it: look at it again."))
    if listing.state == "live" and listing.pending is None:
        raise Conflict(_l("There is no edit to approve."))
    if listing.pending is not None and listing.state == "live":
        changes = listing.pending
        _check_payee(db, _with(listing, changes))
        LISTING.apply(db, listing, "approve_edit", actor, reason)
        _put(listing, changes)
        listing.pending = None
        record(db, actor, "listing.approve_edit", listing, reason, changed=sorted(changes))
        _announce(db, listing)
        _tell(db, listing, actor, "edit_approved", reason)
        return
    _check_payee(db, listing)
    LISTING.apply(db, listing, "approve", actor, reason)
    listing.published_at = listing.published_at or clock.now()
    record(db, actor, "listing.approve", listing, reason)
    _announce(db, listing)
    _tell(db, listing, actor, "approved", reason)


def decline_listing(db: Session, listing: Listing, reason: str, actor: Actor) -> None:
    """Refuse a listing in review, or the waiting edit of a live one (which stays live as it is).

    :raises HelpoutsError: without a reason for the expert to read.
    """
    reason = _reason(reason)
    if listing.state == "live":
        if listing.pending is None:
            raise Conflict(_l("There is no edit to decline."))
        dropped, listing.pending = listing.pending, None
        LISTING.apply(db, listing, "decline_edit", actor, reason)
        record(db, actor, "listing.decline_edit", listing, reason, changed=sorted(dropped))
        _tell(db, listing, actor, "edit_declined", reason)
        return
    LISTING.apply(db, listing, "decline", actor, reason)
    record(db, actor, "listing.decline", listing, reason)
    _tell(db, listing, actor, "declined", reason)


def suspend(db: Session, listing: Listing, reason: str, actor: Actor) -> None:
    """Take a listing off the site until an operator reinstates it; the expert may edit it meanwhile.

    :raises HelpoutsError: without a reason for the expert to read.
    """
    reason = _reason(reason)
    LISTING.apply(db, listing, "suspend", actor, reason)
    record(db, actor, "listing.suspend", listing, reason)
    _tell(db, listing, actor, "suspended", reason)


def reinstate(db: Session, listing: Listing, reason: str, actor: Actor) -> None:
    """Put a suspended listing live again, as it reads now."""
    _check_payee(db, listing)
    LISTING.apply(db, listing, "reinstate", actor, reason)
    listing.published_at = listing.published_at or clock.now()
    record(db, actor, "listing.reinstate", listing, reason)
    _announce(db, listing)
    _tell(db, listing, actor, "reinstated", reason)


def retire(db: Session, listing: Listing, reason: str, actor: Actor) -> None:
    """Take a listing off the site for good; bookings that were made stay as they are."""
    if actor.kind == "operator":
        reason = _reason(reason)
    else:
        check_editor(listing.expert, actor)
    LISTING.apply(db, listing, "retire", actor, reason)
    listing.pending = None
    if actor.kind == "operator":
        record(db, actor, "listing.retire", listing, reason)
        _tell(db, listing, actor, "retired", reason)


def suspend_expert(db: Session, expert: Expert, reason: str, actor: Actor) -> None:
    """Take an expert with all listings off the site; the listings keep their states.

    :raises HelpoutsError: without a reason for the expert to read.
    """
    reason = _reason(reason)
    EXPERT.apply(db, expert, "suspend", actor, reason)
    record(db, actor, "expert.suspend", expert, reason)
    owner = expert.owner
    queue_mail(db, owner.email, "expert_suspended", owner.locale, owner.zone or "UTC", name=owner.name, reason=reason)


def reinstate_expert(db: Session, expert: Expert, reason: str, actor: Actor) -> None:
    """Let a suspended expert back on the site."""
    EXPERT.apply(db, expert, "reinstate", actor, reason)
    record(db, actor, "expert.reinstate", expert, reason)


def edit_profile(db: Session, expert: Expert, headline: str, bio: str, languages: list[str], actor: Actor) -> None:
    """Change what an expert's page says.

    :raises HelpoutsError: for a value that does not fit (``field`` names it).
    """
    from helpouts.catalog.validation import clean_profile

    check_editor(expert, actor)
    for key, value in clean_profile(headline, bio, languages).items():
        setattr(expert, key, value)
    db.flush()


def pending_version(listing: Listing) -> Listing:
    """The listing as it would read with its waiting edit: a copy that belongs to no session."""
    return _with(listing, listing.pending or {})


def check_editor(expert: Expert, actor: Actor) -> None:
    """Whether the actor may write the expert's listings.

    :raises NotAllowed: otherwise.
    """
    if not may_edit(expert, actor):
        raise NotAllowed(_l("Only the owner and the managers of this expert profile may change its listings."))


def _check_payee(db: Session, listing: Listing) -> None:
    """No paid listing goes live before its expert can be paid."""
    if listing.pricing == "free":
        return
    from helpouts.payments.service import ready_to_be_paid

    if not ready_to_be_paid(db, listing.expert.owner.id):
        raise HelpoutsError(
            _l("Connect your wallet first: a session that costs money can go live only when you can be paid."),
            field="wallet",
        )


def _announce(db: Session, listing: Listing) -> None:
    """People whose saved search it fits hear of it."""
    from helpouts.wishes.matching import published

    published(db, listing)


def _tell(db: Session, listing: Listing, actor: Actor, what: str, reason: str) -> None:
    """Write to the owner what an operator has decided, and why."""
    if actor.kind != "operator":
        return
    owner = listing.expert.owner
    queue_mail(
        db,
        owner.email,
        "listing_decided",
        owner.locale,
        owner.zone or "UTC",
        name=owner.name,
        title=listing.title,
        what=what,
        reason=reason,
    )


def _judge(db: Session, listing: Listing) -> None:
    from helpouts.vetting.service import judge

    failed = [verdict for verdict in judge(db, "listing", listing) if verdict.outcome == "fail"]
    reasons = [str(reason) for verdict in failed for reason in verdict.reasons]
    if failed:
        raise HelpoutsError(" ".join(reasons) or _l("This listing does not meet the rules of the site."))


def _check_duplicate(db: Session, expert: Expert, title: str, listing: Listing | None) -> None:
    others = select(Listing.id, Listing.title).where(Listing.expert_id == expert.id, Listing.state != "retired")
    for other_id, other_title in db.execute(others):
        if other_title.casefold() == title.casefold() and (listing is None or other_id != listing.id):
            raise HelpoutsError(_l("You already have a listing with this title: change one of them."), field="title")


def _put(listing: Listing, values: Mapping[str, Any]) -> None:
    for key in EDITABLE:
        if key in values and getattr(listing, key) != values[key]:
            setattr(listing, key, values[key])


def _with(listing: Listing, changes: Mapping[str, Any]) -> Listing:
    values = {key: changes.get(key, getattr(listing, key)) for key in EDITABLE}
    copy = Listing(id=listing.id, slug=listing.slug, category=listing.category, state=listing.state, **values)
    copy.expert_id, copy.expert = listing.expert_id, listing.expert
    return copy


def _reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) < 5:
        raise HelpoutsError(_l("Give a reason that the expert can read and act on."), field="reason")
    return reason[:2000]
