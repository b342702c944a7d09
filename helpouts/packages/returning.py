"""Money of packages whose sessions nobody can book any more goes back by itself; the customer gets a mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager

from helpouts.audit.actor import SYSTEM
from helpouts.catalog.models import Expert, Listing
from helpouts.jobs.service import handler
from helpouts.packages.holdings import IS_ITS_ACCOUNT, STILL_IN_IT
from helpouts.packages.models import Package
from helpouts.packages.offers import single_price
from helpouts.packages.service import give_back
from helpouts.payments.models import LedgerAccount

#: Packages that are given back in one transaction.
AT_ONCE = 100


def is_over(package: Package) -> bool:
    """Whether nobody can book its sessions: the listing is retired or not sold so any more, or the expert has left."""
    listing = package.listing
    gone = listing.state == "retired" or listing.expert.state != "active"
    return gone or not single_price(listing, package.length_minutes, package.currency)


@handler("packages.give_back", every_seconds=600)
def give_back_all(db: Session, _payload: Mapping[str, Any]) -> None:
    """The job."""
    suspicious = or_(
        Listing.state == "retired",
        Expert.state != "active",
        Listing.pricing != "fixed",
        Listing.currency != Package.currency,
        Listing.length_minutes != Package.length_minutes,  # a further length, or none any more
    )
    query = (
        select(Package)
        .join(Listing, Listing.id == Package.listing_id)
        .join(Expert, Expert.id == Listing.expert_id)
        .join(LedgerAccount, IS_ITS_ACCOUNT)
        .options(contains_eager(Package.listing).contains_eager(Listing.expert))
        .where(STILL_IN_IT > 0, suspicious)
        .order_by(Package.id)
    )
    over = [package for package in db.scalars(query).unique() if is_over(package)]
    for package in over[:AT_ONCE]:
        give_back(db, package, SYSTEM)
