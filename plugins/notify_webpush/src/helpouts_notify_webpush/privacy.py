"""What the plugin knows of a person (GDPR articles 15, 17 and 20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from helpouts_notify_webpush.models import Subscription
from helpouts_notify_webpush.service import browsers_of


def export(db: Session, user_id: int) -> Mapping[str, Any]:
    """The browsers; their keys are secrets that protect the messages and stay here."""
    return {
        "browsers": [
            {"label": row.label, "endpoint": row.endpoint, "created_at": row.created_at.isoformat()}
            for row in browsers_of(db, user_id)
        ]
    }


def erase(db: Session, user_id: int) -> None:
    """All of them."""
    db.execute(delete(Subscription).where(Subscription.user_id == user_id))
