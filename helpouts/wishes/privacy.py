"""What this part knows of a person, for their export (GDPR articles 15 and 20).

With the account go all of these rows: the tables refer to it with ON DELETE CASCADE.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.db.rows import as_plain
from helpouts.wishes.models import HelpRequest, RequestAnswer, SavedSearch

_SEARCH = ("name", "query", "free_from", "free_until", "paused", "created_at", "mailed_at")
_REQUEST = (
    *("title", "text", "category", "subcategory", "language", "budget_minor", "currency", "timing"),
    *("day_from", "day_until", "state", "reason", "created_at", "expires_at"),
)
_ANSWER = ("text", "starts_at", "created_at")


def export(db: Session, user_id: int) -> dict[str, Any]:
    """Saved searches, requests, and answers to requests of others, as JSON."""
    searches = select(SavedSearch).where(SavedSearch.user_id == user_id).order_by(SavedSearch.id)
    requests = select(HelpRequest).where(HelpRequest.customer_id == user_id).order_by(HelpRequest.id)
    answers = select(RequestAnswer).where(RequestAnswer.user_id == user_id).order_by(RequestAnswer.id)
    return {
        "saved_searches": [as_plain(row, _SEARCH) for row in db.scalars(searches).unique()],
        "help_requests": [as_plain(row, _REQUEST) for row in db.scalars(requests).unique()],
        "request_answers": [as_plain(row, _ANSWER) for row in db.scalars(answers).unique()],
    }
