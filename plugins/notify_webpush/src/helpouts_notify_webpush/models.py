"""The plugin's own tables: browsers that were signed up, and the site's key."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from helpouts.clock import clock
from helpouts.db import UTCDateTime
from helpouts.db.base import NAMING

metadata = MetaData(naming_convention=NAMING)


class PushBase(DeclarativeBase):
    """Base of the plugin's models."""

    metadata = metadata
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime}


class Subscription(PushBase):
    """One browser of one person (the Push API's PushSubscription)."""

    __tablename__ = "notify_webpush_subscription"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(index=True)
    #: where the browser's push service takes messages; whoever knows it and has our key can send
    endpoint: Mapped[str] = mapped_column(Text)
    #: SHA-256 of the endpoint, which is too long for an index
    endpoint_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: the browser's public key and secret for RFC 8291, base64url
    p256dh: Mapped[str] = mapped_column(String(100))
    auth: Mapped[str] = mapped_column(String(40))
    #: such as "Firefox on Linux"
    label: Mapped[str] = mapped_column(String(80), default="")
    #: key of the last notice that was handed over: it is not sent again when another browser's fails
    last_key: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_sent_at: Mapped[datetime | None]


class SiteKey(PushBase):
    """The key with which this site shows push services who it is (RFC 8292); there is one row, number 1."""

    __tablename__ = "notify_webpush_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: PKCS #8, sealed with the site's master key
    private: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
