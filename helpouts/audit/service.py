"""Writing and checking the audit trail."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock

_FIRST = "0" * 64
_LOCK = 0x48454C50  # "HELP": the advisory lock that orders the chain on PostgreSQL


def record(
    db: Session, actor: Actor, action: str, subject: object = None, reason: str = "", **detail: Any
) -> AuditEntry:
    """Append an entry in the caller's transaction: it is there exactly when the action is.

    :param action: "part.verb", e.g. "invitation.revoke".
    :param subject: a model instance; its table and key are recorded.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    previous = db.scalar(select(AuditEntry.digest).order_by(AuditEntry.id.desc()).limit(1)) or _FIRST
    entry = AuditEntry(
        created_at=clock.now(),
        actor_id=actor.user_id,
        actor=actor.label or actor.kind,
        action=action,
        subject_type=getattr(subject, "__tablename__", ""),
        subject_id=str(getattr(subject, "id", "")) if subject is not None else "",
        reason=reason,
        detail=detail,
    )
    entry.digest = _digest(previous, entry)
    db.add(entry)
    db.flush()
    return entry


def first_broken(db: Session) -> int | None:
    """The id of the first entry that does not fit the chain (edited, or one before it removed), or None."""
    previous = _FIRST
    entries = db.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=500))
    with closing(entries):
        for entry in entries:
            if entry.digest != _digest(previous, entry):
                return entry.id
            previous = entry.digest
    return None


def _digest(previous: str, entry: AuditEntry) -> str:
    content = [
        previous,
        entry.created_at.isoformat(),
        entry.actor_id,
        entry.actor,
        entry.action,
        entry.subject_type,
        entry.subject_id,
        entry.reason,
        entry.detail,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
