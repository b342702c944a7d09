"""What the wallet knows of a person (GDPR articles 15, 17 and 20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.payments import service as money
from helpouts_payments_wallet.models import Connection, TopUp


def export(db: Session, user_id: int) -> Mapping[str, Any]:
    """Everything, in plain values."""
    connection = db.get(Connection, user_id)
    top_ups = db.scalars(select(TopUp).where(TopUp.user_id == user_id).order_by(TopUp.id))
    details: dict[str, Any] = {}
    if connection is not None:
        details = {
            "payer_terms_at": _iso(connection.payer_terms_at),
            "payee_terms_at": _iso(connection.payee_terms_at),
            "payee_name": connection.payee_name,
            "payee_country": connection.payee_country,
            "tax_number": connection.tax_number,
        }
    return {
        "connection": details,
        "top_ups": [
            {"at": _iso(row.created_at), "amount_minor": row.amount_minor, "currency": row.currency} for row in top_ups
        ],
        "statement": [
            {"at": _iso(entry.at), "kind": entry.kind, "amount_minor": entry.amount_minor, "currency": entry.currency}
            for entry in money.wallet_statement(db, user_id, limit=100_000)
        ],
    }


def erase(db: Session, user_id: int) -> None:
    """Names and numbers go; the ledger keeps its rows, which know people only by number."""
    connection = db.get(Connection, user_id)
    if connection is not None:
        db.delete(connection)
        db.flush()


def _iso(instant: Any) -> str | None:
    return None if instant is None else instant.isoformat()
