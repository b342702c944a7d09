"""What happened to a thing, for the pages of records."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.audit.models import AuditEntry, Transition


def transitions(db: Session, machine: str, subject_id: int) -> list[Transition]:
    """The steps of a state machine, the latest first."""
    rows = select(Transition).where(Transition.machine == machine, Transition.subject_id == subject_id)
    return list(db.scalars(rows.order_by(Transition.id.desc())))


def entries(db: Session, table: str, subject_id: int) -> list[AuditEntry]:
    """The audit entries about a record, the latest first."""
    rows = select(AuditEntry).where(AuditEntry.subject_type == table, AuditEntry.subject_id == str(subject_id))
    return list(db.scalars(rows.order_by(AuditEntry.id.desc())))
