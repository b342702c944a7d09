"""Notices in people's browsers, by Web Push (RFC 8030), also while the site is not open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from helpouts.errors import ConfigurationError
from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.notices import NotificationChannel
from helpouts.plugins import HealthCheck, Migrations, PluginBlueprint, Problem, Setting, UserData
from helpouts_notify_webpush import keys, privacy, reminders, service
from helpouts_notify_webpush.channel import send
from helpouts_notify_webpush.models import metadata


@hookimpl
def helpouts_notification_channels() -> Iterable[NotificationChannel]:
    """The channel "webpush"."""
    return (
        NotificationChannel(
            name="webpush",
            label=_l("Browser"),
            reachable=service.reachable,
            send=send,
            panel=_panel,
            module="static/panel.js",
        ),
    )


def _panel(db: Session, user_id: int) -> str:
    from helpouts_notify_webpush.views import panel  # only the web process needs Flask

    return panel(db, user_id)


@hookimpl
def helpouts_settings() -> Iterable[Setting]:
    """Where messages may go."""
    return (
        Setting(
            "allow_local",
            bool,
            False,
            _l("Allow push services in the local network"),
            _l("For tests and closed networks: also private addresses, and without encryption of the connection."),
        ),
    )


@hookimpl
def helpouts_blueprints() -> Iterable[PluginBlueprint]:
    """Signing a browser up and off, below ``/x/notify_webpush/``."""
    from helpouts_notify_webpush.views import make_blueprint

    return (PluginBlueprint(make_blueprint(), "signed_in"),)


@hookimpl
def helpouts_migrations() -> Iterable[Migrations]:
    """The tables ``notify_webpush_*``."""
    return (Migrations(metadata, str(Path(__file__).parent / "migrations")),)


@hookimpl
def helpouts_user_data() -> Iterable[UserData]:
    """The browsers that somebody has signed up."""
    return (UserData(privacy.export, privacy.erase),)


@hookimpl
def helpouts_booking_moved(db: Session, booking_id: int, from_start: datetime) -> None:
    """A reminder of the old time gives way to the new one."""
    reminders.replace_reminders(db, booking_id, from_start)


@hookimpl
def helpouts_health_checks() -> Iterable[HealthCheck]:
    """Whether the site's key can be read, and whether the guard is on."""
    return (HealthCheck("push", _l("Notices in browsers"), _check),)


def _check(db: Session, settings: Mapping[str, Any]) -> Sequence[Problem]:
    found = []
    try:
        keys.load(db)
    except ConfigurationError as error:
        found.append(
            Problem(
                "error", str(error), _l("Restore the master key; without it, people must sign their browsers up anew.")
            )
        )
    if settings["allow_local"]:
        found.append(
            Problem(
                "warning",
                _l("Browsers may name push services in the local network."),
                _l("Switch “Allow push services in the local network” off, unless this site is closed to strangers."),
            )
        )
    return found
