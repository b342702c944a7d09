"""The verbs of packages: buy one, pay for bookings from it, take the rest back.

A package is a funding account: its money is held, settled and given back like that of a wallet, from and to the account
``package:{id}``, which is never overdrawn.  That is what decides the race for the last session.
Every function works in the caller's transaction; an error leaves nothing behind once the caller rolls back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings.drafts import check_bookable, hosts_of, key_of
from helpouts.bookings.models import Booking
from helpouts.bookings.placing import confirm, lock
from helpouts.bookings.writing import take_turns
from helpouts.coupons.redeeming import take_out
from helpouts.errors import Conflict, NotAllowed, Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages import mails
from helpouts.packages.models import Package, PackageOffer
from helpouts.packages.offers import available, saving
from helpouts.payments import Declined
from helpouts.payments import service as money
from helpouts.payments.access import default_backend
from helpouts.payments.ledger import Line, balance, post
from helpouts.payments.models import Journal

#: Kinds of its journals.
BUY, BACK = "package_buy", "package_back"


def check_buyable(db: Session, offer: PackageOffer, customer: User) -> None:
    """Whether this person can buy it now, but for the money.

    :raises Unavailable: the listing cannot be booked now, or nothing can be paid in advance here.
    :raises Conflict: the offer was taken away, or is no bargain any more.
    :raises NotAllowed: it is the customer's own listing.
    """
    check_bookable(db, offer.listing)
    if not available(db):
        raise Unavailable(_l("Packages cannot be paid for here at the moment. Please come back later."))
    if customer.id in hosts_of(offer.listing):
        raise NotAllowed(_l("You cannot book your own listing."))
    if offer.withdrawn_at is not None or saving(offer, offer.listing) <= 0:
        raise Conflict(_l("This package is not on offer any more. Look at what the listing offers now."))


def buy(db: Session, offer: PackageOffer, customer: User, actor: Actor, *, idempotency_key: str) -> Package:
    """Move the price of all sessions from the customer's wallet into a new package.

    The same key from the same customer gives the same package.

    :raises Declined: the wallet is not set up, or holds too little; nothing was moved.
    :raises HelpoutsError: as :func:`check_buyable`.
    """
    take_turns(db, customer.id)
    key = key_of(customer.id, f"package:{idempotency_key}")
    before = db.scalar(select(Package).where(Package.idempotency_key == key))
    if before is not None:
        if before.offer_id != offer.id:
            raise Conflict(_l("This page was too old: go back, reload it and try again."))
        return before
    db.refresh(offer, with_for_update=True)
    check_buyable(db, offer, customer)
    if not money.ready_to_pay(db, customer.id):
        raise Declined(_l("Set up your wallet before you book."))
    package = Package(
        public_id=secrets.token_urlsafe(16),
        offer_id=offer.id,
        listing_id=offer.listing_id,
        customer_id=customer.id,
        title=offer.listing.title,
        length_minutes=offer.length_minutes,
        sessions=offer.sessions,
        price_minor=offer.price_minor,
        currency=offer.currency,
        funding=default_backend(db).funding_account(customer.id),
        idempotency_key=key,
    )
    db.add(package)
    db.flush()
    line = Line(package.funding, package.account, package.total_minor, package.currency)
    post(db, f"{BUY}:{package.public_id}", BUY, package.ref, [line])
    mails.bought(db, package)
    return package


def pay(db: Session, package: Package, bookings: Sequence[Booking], actor: Actor) -> list[Booking]:
    """Confirm held bookings and pay for each with a session of the package, all or none; the caller rolls back.

    What is confirmed already is left as it is, so that sending it twice takes no second session.

    :raises NotAllowed: it is somebody else's package or booking.
    :raises Conflict: the package is for other sessions, has too few left, or a reservation has run out.
    :raises Unavailable: the listing cannot be booked any more.
    """
    # People before bookings, as everybody takes them.
    take_turns(db, package.customer_id, *{booking.host_id for booking in bookings})
    _own(db, package, actor)
    for booking in bookings:
        lock(db, booking)
        _check_fits(package, booking)
    open_ones = [booking for booking in bookings if booking.state != "confirmed"]
    left = balance(db, package.account, package.currency) // package.price_minor
    if left < len(open_ones):
        raise Conflict(
            _l("Your package has too few sessions left (%(left)s). Pay from your wallet, or buy another.", left=left)
        )
    for booking in open_ones:
        take_out(db, booking)  # the package has its own price
        booking.price_minor = booking.amount_minor = package.price_minor
        db.flush()
        confirm(db, booking, actor, money.draft_hold(db, booking, package.account))
    return list(bookings)


def give_back(db: Session, package: Package, actor: Actor) -> int:
    """Give what is left in a package back to where it came from; minor units, 0 when nothing was left.

    What was booked from it stays booked and paid at the package's price.

    :raises NotAllowed: it is somebody else's.
    """
    _own(db, package, actor)
    rest = balance(db, package.account, package.currency)
    if not rest:
        return 0
    before = db.scalar(select(func.count()).where(Journal.ref == package.ref, Journal.kind == BACK)) or 0
    line = Line(package.account, package.funding, rest, package.currency)
    post(db, f"{BACK}:{package.public_id}:{before}", BACK, package.ref, [line])
    mails.given_back(db, package, rest, by_itself=actor.kind == "system")
    return rest


def _own(db: Session, package: Package, actor: Actor) -> None:
    """Take the package for this transaction, when it is the actor's (or the system acts)."""
    if actor.kind != "system" and actor.user_id != package.customer_id:
        raise NotAllowed(_l("This is somebody else's package."))
    db.refresh(package, ["title"], with_for_update={"of": Package})


def _check_fits(package: Package, booking: Booking) -> None:
    if booking.customer_id != package.customer_id:
        raise NotAllowed(_l("This is somebody else's package."))
    wanted = (package.listing_id, package.length_minutes, package.currency, "fixed")
    if (booking.listing_id, booking.minutes, booking.currency, booking.pricing) != wanted:
        raise Conflict(_l("This package is for other sessions: it pays for “%(title)s” only.", title=package.title))
    if booking.state not in ("held", "confirmed"):
        raise Conflict(_l("Your reservation has run out. Please choose a time again."))
