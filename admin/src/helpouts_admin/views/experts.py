"""Experts: who they are, for which fields they were vetted, what they offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from helpouts import formatting
from helpouts.audit.actor import Actor
from helpouts.catalog import service as catalog
from helpouts.catalog.cards import mean
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting.judging import latest_verdicts
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import OptionalReasonForm, ToldReasonForm
from helpouts_admin.views.base import Records


def _suspend(db: Session, expert: Expert, form: Any, actor: Actor) -> None:
    catalog.suspend_expert(db, expert, form.reason.data, actor)


def _reinstate(db: Session, expert: Expert, form: Any, actor: Actor) -> None:
    catalog.reinstate_expert(db, expert, form.reason.data or "", actor)


ACTIONS = (
    Action(
        "suspend",
        _l("Suspend"),
        _suspend,
        ToldReasonForm,
        lambda expert: expert.state == "active",
        _l("Takes the expert with all listings off the site. Bookings stay."),
        _l("Suspended."),
        danger=True,
    ),
    Action(
        "reinstate",
        _l("Reinstate"),
        _reinstate,
        OptionalReasonForm,
        lambda expert: expert.state == "suspended",
        _l("The listings show again as they were."),
        _l("Back on the site."),
        primary=True,
    ),
)


def _categories(view: Any, context: Any, record: Expert, name: str) -> str:
    return ", ".join(columns.category_name(held.category) for held in record.categories)


def _rating(view: Any, context: Any, record: Expert, name: str) -> str:
    average = mean(record.rating_sum, record.rating_count)
    return f"{formatting.one_decimal(average)} ({record.rating_count})" if average is not None else "–"


class ExpertsView(Records):
    """Read-only but for suspending."""

    shows = Expert
    endpoint_name = "console_experts"
    column_list = ("name", "kind", "categories", "rating_count", "state", "created_at")
    column_details_list = ("name", "kind", "headline", "bio", "languages", "categories", "rating_count", "created_at")
    column_searchable_list = ("name", "headline")
    column_sortable_list = ("name", "created_at")
    column_default_sort = ("id", True)
    column_filters = (
        Choice(Expert.state, _l("State"), lambda: words.options("active", "suspended")),
        Choice(Expert.kind, _l("As"), lambda: words.options("individual", "company")),
    )
    column_labels = {
        "name": _l("Name"),
        "kind": _l("As"),
        "headline": _l("Headline"),
        "bio": _l("About"),
        "languages": _l("Languages"),
        "categories": _l("Fields"),
        "rating_count": _l("Rating"),
        "state": _l("State"),
        "created_at": _l("Since"),
    }
    column_formatters = {
        "kind": columns.plain,
        "categories": _categories,
        "rating_count": _rating,
        "state": columns.state,
        "created_at": columns.instant,
        "languages": columns.languages,
    }
    column_formatters_detail = column_formatters
    details_template = "console/expert.html"

    def get_query(self) -> Any:
        """With the fields of each expert, in one further query for all."""
        return super().get_query().options(selectinload(Expert.categories))

    def title_of(self, record: Expert) -> str:
        """The name."""
        return record.name

    def actions(self, record: Expert) -> Sequence[Action]:
        """Suspend and reinstate."""
        return ACTIONS

    def context(self, db: Session, record: Expert) -> dict[str, Any]:
        """Members, listings, verdicts, history."""
        members = select(ExpertMember).where(ExpertMember.expert_id == record.id).options(joinedload(ExpertMember.user))
        listings = (
            select(Listing)
            .where(Listing.expert_id == record.id)
            .order_by(Listing.id.desc())
            .options(selectinload(Listing.expert))
        )
        return {
            "members": list(db.scalars(members)),
            "listings": list(db.scalars(listings)),
            "verdicts": latest_verdicts(db, "expert", record.id),
            "history": history.transitions(db, "expert", record.id),
        }
