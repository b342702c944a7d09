"""Tables of packages.  How many sessions are left is not written down: it is the balance of the package's account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpouts.accounts.models import User
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.db import Base, BigInt

#: Sessions of one package.
FEWEST, MOST = 2, 50


class PackageOffer(Base):
    """So many sessions of a listing, of one of its lengths, at that price each.  Never changed, only taken away."""

    __tablename__ = "package_offer"
    __table_args__ = (
        CheckConstraint(f"sessions BETWEEN {FEWEST} AND {MOST} AND price_minor > 0", name="amounts"),
        Index(
            "uq_package_offer_open",
            "listing_id",
            "length_minutes",
            "sessions",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    length_minutes: Mapped[int]
    sessions: Mapped[int]
    #: per session, minor units of currency
    price_minor: Mapped[int] = mapped_column(BigInt)
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: since when it cannot be bought any more
    withdrawn_at: Mapped[datetime | None]

    listing: Mapped[Listing] = relationship()

    @property
    def total_minor(self) -> int:
        """What all of its sessions cost together, minor units."""
        return self.sessions * self.price_minor


class Package(Base):
    """Sessions that a customer has bought: a snapshot of the offer, and an account of the ledger with their money."""

    __tablename__ = "package"
    __table_args__ = (CheckConstraint("sessions > 0 AND price_minor > 0", name="amounts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: unguessable; used in URLs
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("package_offer.id"))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    length_minutes: Mapped[int]
    sessions: Mapped[int]
    #: per session, minor units of currency
    price_minor: Mapped[int] = mapped_column(BigInt)
    currency: Mapped[str] = mapped_column(String(3))
    #: ledger account that the money came from and goes back to
    funding: Mapped[str] = mapped_column(String(80))
    bought_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: what a client sent with the purchase; the same key from the same customer is the same package
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)

    listing: Mapped[Listing] = relationship()
    customer: Mapped[User] = relationship()

    @property
    def account(self) -> str:
        """Code of the ledger account that holds its money."""
        return f"package:{self.id}"

    @property
    def ref(self) -> str:
        """What its journals are about."""
        return f"package:{self.public_id}"

    @property
    def total_minor(self) -> int:
        """What was paid for it, minor units."""
        return self.sessions * self.price_minor
