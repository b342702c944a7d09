"""What this rule wants of a listing and of the profile behind it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.i18n import lazy_gettext as _l
from helpouts_vetting_profile.notes import Notes
from helpouts_vetting_profile.text import similarity, words

ADULT_YEARS = 18


def check_listing(db: Session, listing: Listing, settings: dict[str, Any], notes: Notes) -> None:
    """Complete, by an adult with a complete profile, and not a copy.

    An edit that waits for review is judged as if it were in force.
    """
    values = {key: getattr(listing, key) for key in ("title", "description", "languages")}
    values.update({key: value for key, value in (listing.pending or {}).items() if key in values})
    if len(words(values["title"])) < 2:
        notes.fail(_l("Give the listing a title of at least two words."), title=values["title"])
    if len(values["description"].strip()) < settings["description_length"]:
        notes.fail(
            _l("Describe the session in at least %(count)s characters.", count=settings["description_length"]),
            description_length=len(values["description"].strip()),
        )
    if not values["languages"]:
        notes.fail(_l("Choose at least one language in which you give the session."), languages=[])
    _check_profile(listing.expert, settings, notes)
    _check_copies(db, listing, values, settings["similarity"], notes)


def _check_profile(expert: Expert, settings: dict[str, Any], notes: Notes) -> None:
    missing = []
    if not expert.headline.strip():
        missing.append("headline")
        notes.fail(_l("Add a headline to your profile: one line that says what you do."))
    if len(expert.bio.strip()) < settings["bio_length"]:
        missing.append("bio")
        notes.fail(
            _l("Tell about yourself in your profile: at least %(count)s characters.", count=settings["bio_length"])
        )
    if missing:
        notes.evidence["profile_lacks"] = missing
    today = clock.now().date()
    for member in expert.members:
        born = member.user.birth_date
        if born is None:
            continue
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        if years < ADULT_YEARS:
            notes.fail(_l("Experts must be at least 18 years old."), minors=[member.user_id])


def _check_copies(db: Session, listing: Listing, values: dict[str, Any], limit: int, notes: Notes) -> None:
    """Compare with what is live in the category: one's own copy fails, with a stranger's a person sees whose it is."""
    others = db.execute(
        select(Listing.id, Listing.expert_id, Listing.title, Listing.description)
        .where(Listing.state == "live", Listing.category == listing.category, Listing.id != (listing.id or 0))
        .order_by(Listing.id)
    )
    title = words(values["title"])
    own: list[dict[str, int]] = []
    foreign: list[dict[str, int]] = []
    first_title = ""
    for other_id, expert_id, other_title, description in others:
        mine = expert_id == listing.expert_id
        alike = similarity(values["description"], description)
        if alike >= limit or (mine and title and words(other_title) == title):
            (own if mine else foreign).append({"listing": other_id, "percent": alike})
            first_title = first_title or (other_title if mine else "")
    if own:
        notes.fail(
            _l("You already offer this in “%(title)s”: change that listing instead.", title=first_title), own_copies=own
        )
    if foreign:
        notes.ask(
            _l("The text is very close to another expert's listing; somebody looks at both. Your own words work best."),
            foreign_copies=foreign,
        )
