"""What experts offer: several sessions of a listing of a fixed price at once, each for less than a single one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.audit.actor import Actor
from helpouts.catalog.models import Listing
from helpouts.catalog.service import check_editor
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, Unavailable
from helpouts.i18n import lazy_gettext as _l
from helpouts.packages.models import FEWEST, MOST, PackageOffer
from helpouts.payments.access import default_backend


def available(db: Session) -> bool:
    """Whether packages can be bought and used: the site's way of paying works in our own transactions (a wallet)."""
    try:
        return default_backend(db).capabilities.in_transaction
    except Unavailable:
        return False


def single_price(listing: Listing, minutes: int, currency: str) -> int:
    """What one session of that length costs without a package, minor units; 0 where there is no such fixed price."""
    if listing.pricing != "fixed" or listing.currency != currency:
        return 0
    return next((length.price_minor for length in listing.offered() if length.minutes == minutes), 0)


def saving(offer: PackageOffer, listing: Listing) -> int:
    """How much the whole package saves, minor units; 0 or less when it is no bargain (any more)."""
    return offer.sessions * (single_price(listing, offer.length_minutes, offer.currency) - offer.price_minor)


def open_offers(db: Session, listing: Listing) -> list[PackageOffer]:
    """The offers of a listing that are not taken away, also those that are no bargain at the moment."""
    query = select(PackageOffer).where(PackageOffer.listing_id == listing.id, PackageOffer.withdrawn_at.is_(None))
    return list(db.scalars(query.order_by(PackageOffer.length_minutes, PackageOffer.sessions)))


def on_sale(db: Session, listing: Listing) -> list[PackageOffer]:
    """The offers that customers see: those that save something, where packages can be paid for at all."""
    if listing.pricing != "fixed":
        return []
    found = [offer for offer in open_offers(db, listing) if saving(offer, listing) > 0]
    return found if found and available(db) else []


def add_offer(
    db: Session, listing: Listing, minutes: int, sessions: int, price_minor: int, actor: Actor
) -> PackageOffer:
    """Offer so many sessions of that length at that price each, minor units of the listing's currency.

    :raises NotAllowed: for anybody but the owner and the managers of the expert.
    :raises HelpoutsError: for a listing without a fixed price, or a number or price that makes no sense (``field``).
    :raises Conflict: the same number of sessions is on offer already.
    """
    check_editor(listing.expert, actor)
    single = single_price(listing, minutes, listing.currency)
    if not single or listing.state == "retired":
        raise HelpoutsError(_l("Packages are for sessions of a fixed price: choose one of the list."), field="session")
    if not FEWEST <= sessions <= MOST:
        raise HelpoutsError(
            _l("A package has %(fewest)s to %(most)s sessions.", fewest=FEWEST, most=MOST), field="sessions"
        )
    if not 0 < price_minor < single:
        text = _l(
            "A session of a package costs less than a single one (%(price)s), and more than nothing.",
            price=formatting.money(single, listing.currency),
        )
        raise HelpoutsError(text, field="price")
    db.refresh(listing, with_for_update={"of": Listing})
    if any((o.length_minutes, o.sessions) == (minutes, sessions) for o in open_offers(db, listing)):
        raise Conflict(_l("You offer that many sessions already: take that offer away first."), field="sessions")
    offer = PackageOffer(
        listing_id=listing.id,
        length_minutes=minutes,
        sessions=sessions,
        price_minor=price_minor,
        currency=listing.currency,
    )
    db.add(offer)
    db.flush()
    return offer


def withdraw_offer(db: Session, offer: PackageOffer, actor: Actor) -> None:
    """Take an offer away; packages that were bought go on.  Taking it away again changes nothing.

    :raises NotAllowed: for anybody but the owner and the managers of the expert.
    """
    check_editor(offer.listing.expert, actor)
    offer.withdrawn_at = offer.withdrawn_at or clock.now()
    db.flush()


def choices(listings: Sequence[Listing]) -> list[tuple[Listing, int]]:
    """(listing, minutes) of everything that a package could be offered of."""
    return [
        (listing, length.minutes)
        for listing in listings
        if listing.pricing == "fixed" and listing.state != "retired"
        for length in listing.offered()
    ]
