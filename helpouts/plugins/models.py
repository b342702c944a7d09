"""What the site remembers of its plugins: enabled or not, settings, the last failures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from helpouts.clock import clock
from helpouts.db import Base, Json


class PluginFlag(Base):
    """Whether a plugin is enabled; a plugin without a row is enabled.  Kept when the plugin is gone."""

    __tablename__ = "plugin_flag"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class PluginSettingRow(Base):
    """One stored setting; secrets are in ``secret`` (AES-GCM, see :mod:`helpouts.plugins.secrets`)."""

    __tablename__ = "plugin_setting"

    plugin: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    secret: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)


class PluginFailure(Base):
    """A hook of a plugin raised; shown in the console until somebody clears it."""

    __tablename__ = "plugin_failure"

    id: Mapped[int] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(String(60), index=True)
    where: Mapped[str] = mapped_column(String(80))
    message: Mapped[str] = mapped_column(Text)
    traceback: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class SiteSetting(Base):
    """A setting of the site itself that operators change while it runs (state of the site, fee ...)."""

    __tablename__ = "site_setting"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
