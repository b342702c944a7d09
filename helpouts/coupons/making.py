"""Making coupons, pausing them, taking them away.  The expert makes them; an operator can stop one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.bookings.drafts import zone_of
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.service import may_edit
from helpouts.clock import clock
from helpouts.coupons.codes import normal
from helpouts.coupons.models import Coupon, CouponUse
from helpouts.coupons.states import COUPON
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound
from helpouts.i18n import lazy_gettext as _l

#: Coupons of one expert; uses that one may have.
MOST, MOST_USES = 200, 100_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a coupon gives, and to whom: a percentage or an amount (minor units of ``currency``), the other is None."""

    percent: int | None
    amount_minor: int | None
    currency: str
    listing_id: int | None = None
    last_day: date | None = None
    most_uses: int | None = None
    once_each: bool = False
    newcomers_only: bool = False


def create(db: Session, expert: Expert, code: str, terms: Terms, actor: Actor) -> Coupon:
    """A coupon of the expert's, to be used from now on.

    :raises NotAllowed: the actor does not write the expert's listings.
    :raises HelpoutsError: for what does not fit, at its field: code, value, listing, last_day, most_uses.
    """
    _check_editor(expert, actor)
    zone = zone_of(db, expert.owner.id)
    _check(db, expert, terms, zone)
    kept = normal(code)
    if not kept:
        raise HelpoutsError(_l("A code has 4 to 24 of the letters A to Z, digits and hyphens."), field="code")
    if (db.scalar(select(func.count()).where(Coupon.expert_id == expert.id)) or 0) >= MOST:
        raise HelpoutsError(_l("You have %(most)s coupons. Delete one that nobody has used first.", most=MOST))
    coupon = Coupon(code=kept, expert_id=expert.id, zone=zone, state=COUPON.initial, **asdict(terms))
    try:
        with db.begin_nested():
            db.add(coupon)
            db.flush()
    except IntegrityError:
        raise HelpoutsError(_l("This code is taken. Choose another."), field="code") from None
    return coupon


def own_coupon(db: Session, expert: Expert, coupon_id: int) -> Coupon:
    """A coupon of the expert's, taken for this transaction.

    :raises NotFound: otherwise, whether it exists or not.
    """
    coupon = db.get(Coupon, coupon_id, with_for_update={"of": Coupon}, populate_existing=True)
    if coupon is None or coupon.expert_id != expert.id:
        raise NotFound(_l("You have no such coupon."))
    return coupon


def coupons_of(db: Session, expert: Expert) -> list[Coupon]:
    """The expert's coupons, the newest first."""
    return list(db.scalars(select(Coupon).where(Coupon.expert_id == expert.id).order_by(Coupon.id.desc())).unique())


def used_ever(db: Session, coupons: Sequence[Coupon]) -> set[int]:
    """Ids of those that a booking has used, if only for a while: they stay in the books."""
    ids = [coupon.id for coupon in coupons]
    return set(db.scalars(select(CouponUse.coupon_id).where(CouponUse.coupon_id.in_(ids)).distinct()))


def switch(db: Session, expert: Expert, coupon_id: int, event: str, actor: Actor) -> None:
    """Pause a coupon ("pause"), or let it be used again ("resume")."""
    _check_editor(expert, actor)
    COUPON.apply(db, own_coupon(db, expert, coupon_id), event, actor)


def delete(db: Session, expert: Expert, coupon_id: int, actor: Actor) -> None:
    """Take away a coupon that no booking has used.

    :raises Conflict: one has.
    """
    _check_editor(expert, actor)
    coupon = own_coupon(db, expert, coupon_id)
    if used_ever(db, [coupon]):
        raise Conflict(_l("This coupon has been used, so it stays in your books. Pause it instead."))
    db.delete(coupon)
    db.flush()


def stop(db: Session, coupon: Coupon, reason: str, actor: Actor) -> None:
    """An operator stops a coupon; its expert cannot let it be used again."""
    db.refresh(coupon, with_for_update={"of": Coupon})
    COUPON.apply(db, coupon, "stop", actor, reason)
    record(db, actor, "coupon.stop", coupon, reason)


def allow(db: Session, coupon: Coupon, reason: str, actor: Actor) -> None:
    """An operator lets a coupon be used again."""
    db.refresh(coupon, with_for_update={"of": Coupon})
    COUPON.apply(db, coupon, "allow", actor, reason)
    record(db, actor, "coupon.allow", coupon, reason)


def _check_editor(expert: Expert, actor: Actor) -> None:
    if not may_edit(expert, actor):
        raise NotAllowed(_l("Only the owner and the managers of the profile can do this."))


def _check(db: Session, expert: Expert, terms: Terms, zone: str) -> None:
    if (terms.percent is None) == (terms.amount_minor is None):
        raise HelpoutsError(_l("A coupon takes off either a percentage or an amount."), field="value")
    if terms.percent is not None and not 1 <= terms.percent <= 100:
        raise HelpoutsError(_l("Enter a whole number from 1 to 100 as the percentage."), field="value")
    if terms.amount_minor is not None and terms.amount_minor <= 0:
        raise HelpoutsError(_l("Enter an amount such as 10 or 7.50."), field="value")
    if terms.last_day is not None and terms.last_day < clock.now().astimezone(ZoneInfo(zone)).date():
        raise HelpoutsError(_l("This day is over. Choose a later one, or none."), field="last_day")
    if terms.most_uses is not None and not 1 <= terms.most_uses <= MOST_USES:
        raise HelpoutsError(_l("Enter a number from 1 to %(most)s, or nothing.", most=MOST_USES), field="most_uses")
    if terms.listing_id is not None:
        _check_listing(db.get(Listing, terms.listing_id), expert, terms)


def _check_listing(listing: Listing | None, expert: Expert, terms: Terms) -> None:
    if listing is None or listing.expert_id != expert.id or listing.state == "retired":
        raise HelpoutsError(_l("Choose one of your listings."), field="listing")
    if listing.pricing == "free":
        raise HelpoutsError(_l("This session is free; it needs no coupon."), field="listing")
    if terms.amount_minor is not None and (listing.pricing, listing.currency) != ("fixed", terms.currency):
        raise HelpoutsError(
            _l("An amount can be taken off a fixed price in the same currency only. Choose a percentage here."),
            field="value",
        )
