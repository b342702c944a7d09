"""What the tests of finding and offering share: two categories, and people and listings made in one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.catalog import Category, CategoryField, Choice, Subcategory
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember, Listing
from helpouts.reviews.models import Review

REPAIR = Category(
    slug="repair",
    name={"en": "Repair", "de": "Reparatur"},
    tagline={"en": "Mend it", "de": "Heil machen"},
    icon="tap",
    subcategories=(
        Subcategory("bikes", {"en": "Bicycles", "de": "Fahrräder"}),
        Subcategory("clocks", {"en": "Clocks", "de": "Uhren"}),
    ),
    listing_fields=(
        CategoryField(
            "tools",
            "choices",
            {"en": "Tools", "de": "Werkzeuge"},
            choices=(Choice("spanner", {"en": "Spanner"}), Choice("saw", {"en": "Saw"})),
            facet=True,
        ),
        CategoryField(
            "level",
            "choice",
            {"en": "Level"},
            choices=(Choice("easy", {"en": "Easy"}), Choice("hard", {"en": "Hard"})),
            required=True,
            facet=True,
        ),
        CategoryField("years", "integer", {"en": "Years"}, maximum=60),
        CategoryField("remote", "boolean", {"en": "Remote"}, facet=True),
        CategoryField("notes", "long_text", {"en": "Notes"}, maximum=100),
    ),
    cancellation_policies=("moderate", "strict"),
)
MUSIC = Category(
    slug="music",
    name={"en": "Music"},
    tagline={"en": ""},
    icon="play",
    subcategories=(Subcategory("piano", {"en": "Piano"}),),
)


def make_user(db: Session, name: str, zone: str = "UTC") -> User:
    user = User(email=f"{name.lower().replace(' ', '.')}@example.org", name=name, zone=zone)
    db.add(user)
    db.flush()
    return user


def make_expert(db: Session, name: str, *categories: str, **values: Any) -> Expert:
    user = make_user(db, name)
    given: dict[str, Any] = {"headline": f"{name} knows", "languages": ["en"]} | values
    expert = Expert(slug=name.lower().replace(" ", "-"), name=name, **given)
    expert.members = [ExpertMember(user=user, role="owner")]
    expert.categories = [ExpertCategory(category=slug) for slug in categories or ("repair",)]
    db.add(expert)
    db.flush()
    return expert


def make_listing(db: Session, expert: Expert, title: str, **values: Any) -> Listing:
    """A live listing, put there without asking anybody."""
    given: dict[str, Any] = {
        "slug": title.lower().replace(" ", "-"),
        "category": "repair",
        "subcategory": "bikes",
        "state": "live",
        "pricing": "free",
        "price_minor": 0,
        "languages": ["en"],
        "fields": {"level": "easy"},
    }
    listing = Listing(expert=expert, title=title, **(given | values))
    db.add(listing)
    db.flush()
    return listing


def good_values(**changes: Any) -> dict[str, Any]:
    """What a form sends for a listing that is all right, with changes."""
    return {
        "category": "repair",
        "subcategory": "bikes",
        "title": "Fix your bicycle brakes",
        "summary": "Brakes that brake.",
        "description": "We look at your brakes together and adjust them step by step.",
        "requirements": "A spanner.",
        "languages": ["en", "de"],
        "fields": {"level": "easy"},
        "pricing": "fixed",
        "price_minor": 2500,
        "currency": "EUR",
        "length_minutes": 30,
        "cancellation_policy": "moderate",
    } | changes


def make_review(db: Session, listing: Listing, author: User, stars: int, text: str) -> Review:
    """A published review, with the session that it needs."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=author.id)
    booking = Booking(
        public_id=f"b{author.id}",
        listing=listing,
        expert=listing.expert,
        host_id=listing.expert.owner.id,
        customer_id=author.id,
        state="completed",
        starts_at=start,
        ends_at=start + timedelta(minutes=30),
        title=listing.title,
        category=listing.category,
        pricing="free",
        price_minor=0,
        currency="EUR",
        amount_minor=0,
        fee_bp=0,
        cancellation_policy="moderate",
        customer_zone="UTC",
        host_zone="UTC",
    )
    db.add(booking)
    db.flush()
    review = Review(
        booking_id=booking.id,
        listing_id=listing.id,
        expert_id=listing.expert_id,
        author_id=author.id,
        stars=stars,
        text=text,
    )
    db.add(review)
    db.flush()
    return review
