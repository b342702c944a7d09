"""Mails about packages, each in the receiver's language."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.mail.service import queue_mail
from helpouts.packages.models import Package


def bought(db: Session, package: Package) -> None:
    """It was bought: the receipt to the customer, word to the expert."""
    owner = package.listing.expert.owner
    for to in (package.customer, owner):
        _send(db, "package_bought", to, package, is_expert=to.id == owner.id)


def given_back(db: Session, package: Package, rest_minor: int, *, by_itself: bool) -> None:
    """What was left is in the wallet again: to the customer.

    :param by_itself: nobody asked for it; the listing cannot be booked any more.
    """
    _send(db, "package_given_back", package.customer, package, rest=rest_minor, by_itself=by_itself)


def _send(db: Session, template: str, to: User, package: Package, **values: Any) -> None:
    listing = package.listing
    queue_mail(
        db,
        to.email,
        template,
        to.locale,
        to.zone or "UTC",
        me=to,
        package=package,
        expert=listing.expert.name,
        listing=listing.slug,
        **values,
    )
