"""The whole plugin contract.

A plugin is a distribution with an entry point in the group ``helpouts`` that names a module; the module
implements any of these hooks with ``@hookimpl``.  Each hook returns an iterable of frozen records, which
live next to the code that uses them.  Every body here is empty, so that the spec is its own no-op.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask
    from sqlalchemy.orm import Session

    from helpouts.catalog import Category
    from helpouts.notices import NotificationChannel
    from helpouts.payments import PaymentBackend
    from helpouts.plugins import (
        AdminView,
        CliCommand,
        HealthCheck,
        JobHandler,
        LiveRoute,
        Migrations,
        PluginBlueprint,
        Setting,
        UserData,
    )
    from helpouts.sessions import VideoTransport
    from helpouts.storage import StorageBackend
    from helpouts.vetting import VettingRule

PROJECT = "helpouts"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Families:
    """The four kinds of thing that a site is made of."""

    @hookspec
    def helpouts_categories(self) -> Iterable[Category]:
        """Fields of help that the site covers."""
        return ()

    @hookspec
    def helpouts_payment_backends(self) -> Iterable[PaymentBackend]:
        """Ways in which money moves."""
        return ()

    @hookspec
    def helpouts_vetting_rules(self) -> Iterable[VettingRule]:
        """Rules that judge applications, listings and experts."""
        return ()

    @hookspec
    def helpouts_video_transports(self) -> Iterable[VideoTransport]:
        """Technologies that carry the call."""
        return ()


class Surfaces:
    """Where a plugin meets people and machines."""

    @hookspec
    def helpouts_settings(self) -> Iterable[Setting]:
        """Settings that operators change in the console; strict: an unknown key is an error."""
        return ()

    @hookspec
    def helpouts_blueprints(self) -> Iterable[PluginBlueprint]:
        """Pages, mounted below ``/x/{plugin}/``."""
        return ()

    @hookspec
    def helpouts_web_app(self, app: Flask) -> None:
        """The web application is being made: for add-ons that bring a whole application of their own (the console).

        Every view that is added must declare its permission (:mod:`helpouts.web.permissions`).
        """

    @hookspec
    def helpouts_admin_views(self) -> Iterable[AdminView]:
        """Pages in the operators' console."""
        return ()

    @hookspec
    def helpouts_cli_commands(self) -> Iterable[CliCommand]:
        """Commands, run as ``helpouts x {plugin} {command}``."""
        return ()

    @hookspec
    def helpouts_health_checks(self) -> Iterable[HealthCheck]:
        """Checks for ``helpouts doctor`` and the console."""
        return ()

    @hookspec
    def helpouts_jobs(self) -> Iterable[JobHandler]:
        """Work for the worker, on demand or periodic."""
        return ()

    @hookspec
    def helpouts_live_routes(self) -> Iterable[LiveRoute]:
        """HTTP routes in the live process, mounted below ``/x/{plugin}/``."""
        return ()

    @hookspec
    def helpouts_migrations(self) -> Iterable[Migrations]:
        """The plugin's own tables, at most one record."""
        return ()

    @hookspec
    def helpouts_demo(self, db: Session, customers: Sequence[int], experts: Sequence[int]) -> None:
        """The demo site is being filled: give these users what they need from the plugin (a wallet with test money).

        In the demo's transaction; called once, on an empty site, never on a real one.
        """

    @hookspec
    def helpouts_notification_channels(self) -> Iterable[NotificationChannel]:
        """Ways of reaching people besides mail: in their browser, on their telephone."""
        return ()

    @hookspec
    def helpouts_storage_backends(self) -> Iterable[StorageBackend]:
        """Places where recordings and files are kept, besides the folder that every site has."""
        return ()

    @hookspec
    def helpouts_user_data(self) -> Iterable[UserData]:
        """What the plugin knows of a person, at most one record."""
        return ()


class Events:
    """What has happened, told after commit, from the outbox, one plugin at a time.

    Ids are those of the core's tables.  ``db`` is the transaction that also notes the delivery: what is written
    through it happens exactly once; what reaches the outside world may happen again after a crash, so promise it with
    :func:`helpouts.jobs.service.enqueue` or make it idempotent.  An exception rolls back and is tried again, five times
    in all, and is shown in the console.
    """

    @hookspec
    def helpouts_application_decided(self, db: Session, application_id: int, decision: str) -> None:
        """An application was invited or declined."""

    @hookspec
    def helpouts_booking_confirmed(self, db: Session, booking_id: int) -> None:
        """A booking is confirmed: paid for, or free."""

    @hookspec
    def helpouts_booking_cancelled(self, db: Session, booking_id: int, reason: str) -> None:
        """A booking was cancelled."""

    @hookspec
    def helpouts_booking_moved(self, db: Session, booking_id: int, from_start: datetime, to_start: datetime) -> None:
        """A booking takes place at another time; both instants are aware UTC.

        It may have been moved again, or cancelled, since: the booking itself says how it stands.
        """

    @hookspec
    def helpouts_session_started(self, db: Session, session_id: int) -> None:
        """Both people are in the room for the first time."""

    @hookspec
    def helpouts_session_ended(self, db: Session, session_id: int, connected_seconds: int) -> None:
        """The session is over; ``connected_seconds`` is the time in which both were connected."""

    @hookspec
    def helpouts_payment_changed(self, db: Session, payment_id: int, state: str) -> None:
        """A payment came into another state."""

    @hookspec
    def helpouts_review_published(self, db: Session, review_id: int) -> None:
        """A review can be read by everybody."""


SPECS: tuple[type, ...] = (Families, Surfaces, Events)
