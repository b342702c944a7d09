"""What people hold: packages with the money that is in them, and the sessions that were booked from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String, and_, cast, literal, select
from sqlalchemy.orm import Session, joinedload

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.packages.models import Package
from helpouts.packages.offers import available
from helpouts.payments.models import DEAD_STATES, LedgerAccount, Payment

#: Which account holds a package's money, and how much is in it, minor units.
IS_ITS_ACCOUNT = and_(
    LedgerAccount.code == literal("package:") + cast(Package.id, String), LedgerAccount.currency == Package.currency
)
STILL_IN_IT = LedgerAccount.credits - LedgerAccount.debits


@dataclass(frozen=True, slots=True)
class Holding:
    """A package and what is in it.

    :ivar rest_minor: the balance of its account, minor units.
    :ivar bookings: booked from it, whatever became of them, the latest first; only where they were asked for.
    """

    package: Package
    rest_minor: int
    bookings: list[Booking] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many sessions can still be booked from it."""
        return self.rest_minor // self.package.price_minor


def usable(db: Session, booking: Booking, count: int = 1) -> list[Holding]:
    """The packages from which the customer can pay ``count`` such bookings, the oldest first."""
    if booking.pricing != "fixed" or not available(db):
        return []
    found = _holdings(
        db,
        Package.customer_id == booking.customer_id,
        Package.listing_id == booking.listing_id,
        Package.length_minutes == booking.minutes,
        Package.currency == booking.currency,
        count * Package.price_minor <= STILL_IN_IT,
    )
    return found[::-1]


def of_customer(db: Session, user_id: int) -> list[Holding]:
    """Everything that somebody has bought, the latest first, with the sessions booked from it."""
    found = _holdings(db, Package.customer_id == user_id, options=(joinedload(Package.listing),))
    by_account = {holding.package.account: holding for holding in found}
    rows = (
        select(Booking, Payment.funding)
        .join(Payment, Payment.booking_id == Booking.id)
        .where(Booking.customer_id == user_id, Payment.funding.in_(list(by_account)), Payment.state.not_in(DEAD_STATES))
        .order_by(Booking.starts_at.desc(), Booking.id.desc())
    )
    for booking, account in db.execute(rows).unique() if by_account else ():
        by_account[account].bookings.append(booking)
    return found


def of_expert(db: Session, expert_id: int) -> list[Holding]:
    """The packages of an expert's listings with something left in them, the latest first, with their customers."""
    return _holdings(
        db,
        Package.listing_id.in_(select(Listing.id).where(Listing.expert_id == expert_id)),
        STILL_IN_IT > 0,
        options=(joinedload(Package.customer).lazyload(User.roles),),
    )


def rests(db: Session, packages: Sequence[Package]) -> dict[int, int]:
    """What is in each of these packages by its id, minor units."""
    found = _holdings(db, Package.id.in_([package.id for package in packages]))
    return {holding.package.id: holding.rest_minor for holding in found}


def _holdings(db: Session, *where: Any, options: Sequence[Any] = ()) -> list[Holding]:
    rows = (
        select(Package, STILL_IN_IT)
        .join(LedgerAccount, IS_ITS_ACCOUNT)
        .where(*where)
        .options(*options)
        .order_by(Package.id.desc())
    )
    return [Holding(package, int(rest)) for package, rest in db.execute(rows).unique()]
