"""Figures for the overview and the menu: what waits for an operator, and how the business goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import g
from sqlalchemy import Text, and_, cast, func, literal_column, or_, select
from sqlalchemy.orm import Session

from helpouts.audit.models import AuditEntry
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.payments.models import LedgerAccount, Payout, Refund
from helpouts.payments.verify import violations
from helpouts.plugins.models import PluginFailure
from helpouts.sessions import models as sessions
from helpouts.sessions.support_models import SupportRequest
from helpouts.sessions.tool_models import SessionReport
from helpouts.vetting.models import Application

#: States in which an application waits for an operator.
WAITING = ("received", "contacted", "appealed")


def _count(condition: Any) -> Any:
    return select(func.count()).where(condition).scalar_subquery()


def listings_in_review() -> Any:
    """The condition on listings that a curator must look at: new ones, and edits of live ones.

    An edit that was cleared is JSON null, one that never was is SQL NULL: comparing the text takes care of both.
    """
    return or_(Listing.state == "in_review", and_(Listing.state == "live", cast(Listing.pending, Text) != "null"))


def attention(db: Session) -> dict[str, int]:
    """Endpoint of a page to the number of things that wait on it; one query in each request."""
    if "console_attention" not in g:
        row = db.execute(
            select(
                _count(Application.state.in_(WAITING)),
                _count(listings_in_review()),
                _count(Refund.state == "escalated"),
                _count(Payout.state == "requested"),
                _count(SessionReport.state == "open"),
                _count(SupportRequest.state == "open"),
                _count(Job.state == "dead"),
                _count(PluginFailure.id > 0),
            )
        ).one()
        names = (
            "console_applications",
            "console_listings",
            "console_refunds",
            "console_payouts",
            "console_reports",
            "console_calls",
            "console_jobs",
            "console_plugins",
        )
        g.console_attention = dict(zip(names, row, strict=True))
    found: dict[str, int] = g.console_attention
    return found


def overdue(db: Session) -> int:
    """Applications whose target time is over."""
    late = (Application.state.in_(WAITING)) & (Application.due_at < clock.now())
    return db.scalar(select(func.count()).where(late)) or 0


def business(db: Session) -> dict[str, Any]:
    """Bookings of today (UTC) and of the last seven days, rooms that are open, the fee by currency (minor units)."""
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    row = db.execute(
        select(
            _count(Booking.created_at >= midnight),
            _count(Booking.created_at >= now - timedelta(days=7)),
            _count(sessions.Session.state == literal_column("'open'")),
        )
    ).one()
    fees = db.execute(
        select(LedgerAccount.currency, LedgerAccount.credits - LedgerAccount.debits).where(
            LedgerAccount.code == "revenue:fee"
        )
    )
    return {"today": row[0], "week": row[1], "rooms": row[2], "fees": [(currency, minor) for currency, minor in fees]}


def latest(db: Session, count: int = 8) -> list[AuditEntry]:
    """The last entries of the audit log."""
    return list(db.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(count)))


def ledger_problems(db: Session) -> list[str]:
    """The rules of the ledger that do not hold."""
    return [f"{finding.key}: {finding.says} ({finding.violations})" for finding in violations(db)]
