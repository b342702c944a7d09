"""Posted requests: what people ask the experts for; take off the board what breaks the rules, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session, joinedload, selectinload

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.i18n import lazy_gettext as _l
from helpouts.wishes import requests
from helpouts.wishes.models import HelpRequest, RequestAnswer
from helpouts.wishes.states import LIVE_STATES
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import ToldReasonForm
from helpouts_admin.views.base import Records

STATES = ("open", "answered", "closed", "withdrawn", "expired", "removed")


def _remove(db: Session, request: HelpRequest, form: Any, actor: Actor) -> None:
    requests.remove(db, request, form.reason.data, actor)


ACTIONS = (
    Action(
        "remove",
        _l("Take off the board"),
        _remove,
        ToldReasonForm,
        when=lambda request: request.state in LIVE_STATES,
        danger=True,
        explain=_l("No expert reads it any more; its writer gets a mail with the reason."),
        done=_l("Taken off the board."),
    ),
)


def _answers(view: Any, context: Any, record: HelpRequest, name: str) -> str:
    return str(len(record.answers))


def _budget(view: Any, context: Any, record: HelpRequest, name: str) -> str:
    return "" if record.budget_minor is None else formatting.money(record.budget_minor, record.currency)


class RequestsView(Records):
    """All requests, newest first."""

    shows = HelpRequest
    endpoint_name = "console_requests"
    column_list = ("title", "customer", "category", "answers", "state", "created_at")
    column_details_list = (
        "text",
        "customer",
        "category",
        "budget_minor",
        "answers",
        "created_at",
        "expires_at",
        "reason",
    )
    column_searchable_list = ("title", "text")
    column_sortable_list = ("title", "created_at")
    column_default_sort = ("id", True)
    column_filters = (
        Choice(HelpRequest.state, _l("State"), lambda: words.options(*STATES)),
        Choice(HelpRequest.category, _l("Field"), columns.category_options),
    )
    column_labels = {
        "title": _l("Title"),
        "text": _l("Text"),
        "customer": _l("Customer"),
        "category": _l("Field"),
        "budget_minor": _l("At most"),
        "answers": _l("Answers"),
        "state": _l("State"),
        "created_at": _l("Written"),
        "expires_at": _l("Open until"),
        "reason": _l("Reason"),
    }
    column_formatters = {
        "title": columns.short(),
        "customer": columns.called("customer"),
        "category": columns.category,
        "budget_minor": _budget,
        "answers": _answers,
        "state": columns.state,
        "created_at": columns.instant,
        "expires_at": columns.instant,
    }
    column_formatters_detail = dict(column_formatters)

    def get_query(self) -> Any:
        """With the writers, without their roles, and with the answers that are counted."""
        people = joinedload(HelpRequest.customer).lazyload(User.roles)
        answers = selectinload(HelpRequest.answers).lazyload(RequestAnswer.expert)
        return super().get_query().options(people, answers)

    def title_of(self, record: HelpRequest) -> str:
        """The line that its writer gave it."""
        return record.title

    def actions(self, record: HelpRequest) -> Sequence[Action]:
        """Take it off the board."""
        return ACTIONS

    def context(self, db: Session, record: HelpRequest) -> dict[str, Any]:
        """What became of it."""
        return {"history": history.transitions(db, "help_request", record.id)}
