"""The wallet's own tables.  References to people are plain numbers: a plugin's tables stand by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from helpouts.clock import clock
from helpouts.db import BigInt, UTCDateTime
from helpouts.db.base import NAMING

metadata = MetaData(naming_convention=NAMING)


class WalletBase(DeclarativeBase):
    """Base of the plugin's models."""

    metadata = metadata
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime}


class Connection(WalletBase):
    """What somebody has agreed to: paying from a wallet, being paid into earnings, or both."""

    __tablename__ = "payments_wallet_connection"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    payer_terms_at: Mapped[datetime | None]
    payee_terms_at: Mapped[datetime | None]
    #: the name that payouts go to, ISO 3166-1 country, and the tax number where there is one
    payee_name: Mapped[str] = mapped_column(String(120), default="")
    payee_country: Mapped[str] = mapped_column(String(2), default="")
    tax_number: Mapped[str] = mapped_column(String(40), default="")


class TopUp(WalletBase):
    """One test top-up; the form's token makes a double click one."""

    __tablename__ = "payments_wallet_topup"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(index=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    amount_minor: Mapped[int] = mapped_column(BigInt)
    currency: Mapped[str] = mapped_column(String(3))
    journal_id: Mapped[int] = mapped_column(BigInt)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
