"""What the API shows of listings and bookings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.bookings.moving import proposal
from helpouts.catalog.cards import ListingCard
from helpouts.catalog.category import CategoryField
from helpouts.catalog.models import Listing
from helpouts.catalog.pages import listing_view
from helpouts.catalog.service import is_open
from helpouts.i18n import in_language
from helpouts.runtime import runtime_of


def stamp(instant: datetime | None) -> str | None:
    """An instant in UTC (RFC 3339), e.g. "2026-11-24T14:30:00Z"."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z") if instant is not None else None


def card(item: ListingCard, base: str) -> dict[str, Any]:
    """A hit of a search; ``base`` is the site's public address."""
    return {
        "slug": item.slug,
        "url": base + item.url,
        "title": item.title,
        "summary": item.summary,
        "category": item.category,
        "expert": {"slug": item.expert.slug, "name": item.expert.name, "url": base + item.expert.url},
        "pricing": item.pricing,
        "price_minor": item.price_minor,
        "currency": item.currency,
        "length_minutes": item.length_minutes,
        "rating": item.rating,
        "review_count": item.review_count,
        "next_free_at": stamp(item.next_free_at),
        "available_now": item.available_now,
    }


def listing(db: Session, found: Listing, base: str) -> dict[str, Any]:
    """One listing, with what a booking of it needs."""
    view: Any = listing_view(db, found)
    return {
        **card(view, base),
        "description": found.description,
        "requirements": found.requirements,
        "languages": list(found.languages),
        "lengths": [{"minutes": each.minutes, "price_minor": each.price_minor} for each in found.offered()],
        "cancellation_policy": found.cancellation_policy,
        "bookable": is_open(db, found),
        "questions": [question(field) for field in runtime_of(db).registry.category(found.category).intake],
    }


def question(field: CategoryField) -> dict[str, Any]:
    """One of a category's questions, in the language in force."""
    return {
        "key": field.key,
        "type": field.type,
        "label": in_language(field.label),
        "required": field.required,
        "choices": [{"value": choice.value, "label": in_language(choice.label)} for choice in field.choices],
        "maximum": field.maximum,
    }


def booking(db: Session, row: Booking, user_id: int, base: str) -> dict[str, Any]:
    """A booking as one of its two people sees it."""
    is_host = row.host_id == user_id
    move = proposal(db, row)
    shown: Mapping[str, Any] = {
        "id": row.public_id,
        "url": f"{base}/bookings/{row.public_id}",
        "state": row.state,
        "part": "expert" if is_host else "customer",
        "title": row.title,
        "listing": row.listing.slug,
        "other": (row.customer if is_host else row.host).name,
        "starts_at": stamp(row.starts_at),
        "ends_at": stamp(row.ends_at),
        "pricing": row.pricing,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "cancellation_policy": row.cancellation_policy,
        "proposed_start": stamp(move.starts_at if move is not None else None),
        "created_at": stamp(row.created_at),
    }
    return dict(shown)
