"""Reviews: hide what breaks the rules, with a reason; show it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session, joinedload

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Listing
from helpouts.formatting import stars_text
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.reviews import service as reviews
from helpouts.reviews.models import Review
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.views.base import Records


def _hide(db: Session, review: Review, form: Any, actor: Actor) -> None:
    reviews.hide(db, review, form.reason.data, actor)


def _show(db: Session, review: Review, form: Any, actor: Actor) -> None:
    reviews.show(db, review, form.reason.data, actor)


ACTIONS = (
    Action(
        "hide",
        _l("Hide"),
        _hide,
        when=lambda review: review.state == "published",
        danger=True,
        explain=_l("Nobody reads it any more, and it stops counting."),
        done=_l("Hidden."),
    ),
    Action("show", _l("Show again"), _show, when=lambda review: review.state == "hidden", done=_l("Published again.")),
)


def _stars(view: Any, context: Any, record: Review, name: str) -> Any:
    return words.Markup('<span class="stars" role="img" aria-label="{}">{}</span>').format(
        stars_text(record.stars), "★" * record.stars + "☆" * (5 - record.stars)
    )


def _author(view: Any, context: Any, record: Review, name: str) -> str:
    return record.author.name


class ReviewsView(Records):
    """All reviews, newest first."""

    shows = Review
    endpoint_name = "console_reviews"
    column_list = ("text", "stars", "author", "state", "created_at")
    column_details_list = ("stars", "text", "author", "reply", "replied_at", "created_at")
    column_searchable_list = ("text", "reply")
    column_sortable_list = ("stars", "created_at")
    column_default_sort = ("id", True)
    column_filters = (
        Choice(Review.state, _l("State"), lambda: words.options("published", "hidden")),
        Choice(
            Review.stars,
            _l("Stars"),
            lambda: [(str(n), stars_text(n)) for n in range(1, 6)],
            lambda n: Review.stars == int(n),
        ),
    )
    column_labels = {
        "text": _l("Text"),
        "stars": _l("Stars"),
        "author": _l("By"),
        "state": _l("State"),
        "created_at": _l("Written"),
        "reply": _l("Reply"),
        "replied_at": _l("Replied"),
    }
    column_formatters = {
        "text": lambda view, context, record, name: columns.short()(view, context, record, name) or _("(no text)"),
        "stars": _stars,
        "author": _author,
        "state": columns.state,
        "created_at": columns.instant,
    }
    column_formatters_detail = {
        "stars": _stars,
        "author": _author,
        "created_at": columns.instant,
        "replied_at": columns.instant,
    }
    details_template = "console/review.html"

    def get_query(self) -> Any:
        """With the author, without the author's roles."""
        return super().get_query().options(joinedload(Review.author).lazyload(User.roles))

    def title_of(self, record: Review) -> str:
        """Its number."""
        return _("Review %(id)s", id=record.id)

    def actions(self, record: Review) -> Sequence[Action]:
        """Hide, show."""
        return ACTIONS

    def context(self, db: Session, record: Review) -> dict[str, Any]:
        """What it is about, and what operators did."""
        return {
            "listing": db.get(Listing, record.listing_id),
            "booking": db.get(Booking, record.booking_id),
            "entries": history.entries(db, "review", record.id),
        }
