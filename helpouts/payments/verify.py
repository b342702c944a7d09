"""Checks the money against :data:`helpouts.payments.invariants.INVARIANTS`: after tests, hourly, and on command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.db import UTCDateTime
from helpouts.jobs.service import handler
from helpouts.payments.invariants import INVARIANTS

log = structlog.get_logger("helpouts.payments")
#: How long money may stay unexplained before it counts as a violation.
UNEXPLAINED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant found; ``violations`` is 0 when all is well."""

    key: str
    says: str
    violations: int


def verify(db: Session) -> tuple[Finding, ...]:
    """Run every invariant."""
    stale = clock.now() - UNEXPLAINED
    found = []
    for invariant in INVARIANTS:
        statement = text(invariant.sql)
        if ":stale" in invariant.sql:
            statement = statement.bindparams(bindparam("stale", stale, type_=UTCDateTime))
        found.append(Finding(invariant.key, invariant.says, int(db.execute(statement).scalar_one())))
    return tuple(found)


def violations(db: Session) -> tuple[Finding, ...]:
    """The invariants that do not hold; empty when all is well."""
    return tuple(finding for finding in verify(db) if finding.violations)


@handler("payments.verify", every_seconds=3600)
def _hourly(db: Session, _payload: Mapping[str, Any]) -> None:
    """The job: a violation makes it fail, so that it shows in the console until somebody has looked."""
    broken = violations(db)
    if broken:
        log.error("the ledger is broken", violations={finding.key: finding.violations for finding in broken})
        raise AssertionError("the ledger is broken: run 'helpouts ledger verify'")
