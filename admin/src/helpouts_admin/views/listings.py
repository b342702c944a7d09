"""Listings: what waits for review, seen as customers will see it, and what is live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session, lazyload
from wtforms import HiddenField

from helpouts import formatting
from helpouts.audit.actor import Actor
from helpouts.catalog import service as catalog
from helpouts.catalog.models import Expert, Listing
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting.judging import latest_verdicts
from helpouts.web.db import current_runtime
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.figures import listings_in_review
from helpouts_admin.filters import Choice
from helpouts_admin.forms import OptionalReasonForm, ToldReasonForm
from helpouts_admin.listing_words import answers, differences, in_words
from helpouts_admin.views.base import Records

STATES = ("draft", "in_review", "live", "declined", "suspended", "retired")


class ApproveForm(OptionalReasonForm):
    """Approves what was on the screen, not what the expert has written since."""

    version = HiddenField()


def waits(listing: Listing) -> bool:
    """Whether a curator must look at it."""
    return listing.state == "in_review" or (listing.state == "live" and listing.pending is not None)


def _approve(db: Session, listing: Listing, form: Any, actor: Actor) -> None:
    version = form.version.data or ""
    catalog.approve(db, listing, actor, form.reason.data or "", version=int(version) if version.isdigit() else 0)


def _decline(db: Session, listing: Listing, form: Any, actor: Actor) -> None:
    catalog.decline_listing(db, listing, form.reason.data, actor)


def _suspend(db: Session, listing: Listing, form: Any, actor: Actor) -> None:
    catalog.suspend(db, listing, form.reason.data, actor)


def _reinstate(db: Session, listing: Listing, form: Any, actor: Actor) -> None:
    catalog.reinstate(db, listing, form.reason.data or "", actor)


ACTIONS = (
    Action(
        "approve",
        _l("Approve"),
        _approve,
        ApproveForm,
        waits,
        _l("It goes live as it is shown here."),
        _l("Approved."),
        primary=True,
        start=lambda listing: {"version": listing.version},
    ),
    Action(
        "decline",
        _l("Decline"),
        _decline,
        ToldReasonForm,
        waits,
        _l("A version that is live stays live."),
        _l("Declined."),
        danger=True,
    ),
    Action(
        "suspend",
        _l("Suspend"),
        _suspend,
        ToldReasonForm,
        lambda listing: listing.state in ("live", "in_review"),
        _l("Takes it off the site; the expert can still edit it. Bookings stay."),
        _l("Suspended."),
        danger=True,
    ),
    Action(
        "reinstate",
        _l("Reinstate"),
        _reinstate,
        OptionalReasonForm,
        lambda listing: listing.state == "suspended",
        _l("Puts it live again, as it reads now."),
        _l("Live again."),
        primary=True,
    ),
)


def _price(view: Any, context: Any, record: Listing, name: str) -> str:
    return formatting.price(record.pricing, record.price_minor, record.currency)


def _state(view: Any, context: Any, record: Listing, name: str) -> Any:
    shown = words.badge(record.state)
    if record.state == "live" and record.pending is not None:
        return shown + words.Markup(' <span class="badge badge--warning">{}</span>').format(_("edit waits"))
    return shown


def _expert(view: Any, context: Any, record: Listing, name: str) -> str:
    return record.expert.name


class ListingsView(Records):
    """All listings; the first tab is what waits."""

    shows = Listing
    endpoint_name = "console_listings"
    intro = _l("An edit of a live listing waits here while the approved version stays live.")
    simple_list_pager = False
    column_list = ("title", "expert", "category", "price_minor", "state", "created_at")
    column_details_list = column_list
    column_searchable_list = ("title", "summary")
    column_sortable_list = ("title", "created_at")
    column_default_sort = ("id", True)
    column_filters = (
        Choice(
            Listing.state,
            _l("State"),
            lambda: words.options("review", *STATES),
            lambda state: listings_in_review() if state == "review" else Listing.state == state,
        ),
        Choice(Listing.category, _l("Field"), columns.category_options),
    )
    column_labels = {
        "title": _l("Title"),
        "expert": _l("Expert"),
        "category": _l("Field"),
        "price_minor": _l("Price"),
        "state": _l("State"),
        "created_at": _l("Written"),
    }
    column_formatters = {
        "expert": _expert,
        "category": columns.category,
        "price_minor": _price,
        "state": _state,
        "created_at": columns.instant,
    }
    details_template = "console/listing.html"

    def get_query(self) -> Any:
        """Without the members and categories of each expert, which no list shows."""
        return (
            super()
            .get_query()
            .options(lazyload(Listing.expert, Expert.members), lazyload(Listing.expert, Expert.categories))
        )

    def title_of(self, record: Listing) -> str:
        """The listing's title."""
        return record.title

    def actions(self, record: Listing) -> Sequence[Action]:
        """What the state allows."""
        return ACTIONS

    def context(self, db: Session, record: Listing) -> dict[str, Any]:
        """The listing as customers would see it once approved, what an edit changes, verdicts, history."""
        category = current_runtime().registry.category(record.category)
        pending = record.state == "live" and record.pending is not None
        shown = catalog.pending_version(record) if pending else record
        return {
            "category": in_language(category.name),
            "disclaimer": in_language(category.disclaimer) if category.disclaimer else "",
            "listing": shown,
            "words_of": in_words(category, shown),
            "fields": answers(category, shown.fields),
            "differences": differences(category, record, shown) if pending else [],
            "verdicts": latest_verdicts(db, "listing", record.id),
            "history": history.transitions(db, "listing", record.id),
        }
