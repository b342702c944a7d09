"""Applications of people who want to become experts: follow up, invite, decline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting import service as vetting
from helpouts.vetting.judging import latest_verdicts
from helpouts.vetting.models import Application, ApplicationMessage, Invitation
from helpouts.vetting.states import APPLICATION
from helpouts.web.db import current_runtime
from helpouts.web.permissions import current_actor
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action, ShowOnce
from helpouts_admin.figures import WAITING
from helpouts_admin.filters import Choice
from helpouts_admin.forms import MessageForm, OptionalReasonForm, ToldReasonForm
from helpouts_admin.views.base import Records

STATES = ("received", "contacted", "invited", "declined", "appealed", "joined")


def _contact(db: Session, application: Application, form: Any, actor: Actor) -> None:
    vetting.contact(db, application, form.body.data, actor)


def _invite(db: Session, application: Application, form: Any, actor: Actor) -> ShowOnce:
    _invitation, code = vetting.invite(db, application, actor, note=form.reason.data or "")
    return ShowOnce(
        _("Invited. This is the code:"),
        code,
        _(
            "It is in the mail to %(email)s too. It is shown only this once: only its fingerprint is kept.",
            email=application.email,
        ),
    )


def _decline(db: Session, application: Application, form: Any, actor: Actor) -> None:
    vetting.decline(db, application, form.reason.data, actor)


def _fits(event: str) -> Any:
    return lambda application: APPLICATION.allows(application.state, event, current_actor("operator"))


ACTIONS = (
    Action(
        "contact",
        _l("Write back"),
        _contact,
        MessageForm,
        _fits("contact"),
        _l("Your message goes out by mail."),
        _l("Sent."),
    ),
    Action(
        "invite",
        _l("Invite"),
        _invite,
        OptionalReasonForm,
        _fits("invite"),
        _l("Makes a code for this field, for one use, and mails it. The note goes with it."),
        primary=True,
    ),
    Action(
        "decline",
        _l("Decline"),
        _decline,
        ToldReasonForm,
        _fits("decline"),
        done=_l("Declined. The reason is on its way."),
        danger=True,
    ),
)


def _due(view: Any, context: Any, record: Application, name: str) -> Any:
    text = formatting.date(record.due_at)
    if record.state in WAITING and record.due_at < clock.now():
        return Markup('{} <span class="badge badge--danger">{}</span>').format(text, _("overdue"))
    return text


def _subcategory(view: Any, context: Any, record: Application, name: str) -> str:
    found = current_runtime().registry.category(record.category).subcategory(record.subcategory)
    return in_language(found.label) if found else record.subcategory


def _link(view: Any, context: Any, record: Application, name: str) -> Any:
    if not record.link.startswith(("https://", "http://")):
        return record.link
    return Markup('<a href="{0}" rel="noreferrer noopener nofollow" target="_blank">{0}</a>').format(record.link)


class ApplicationsView(Records):
    """The queue of the curators."""

    shows = Application
    endpoint_name = "console_applications"
    intro = _l("People who left their details. Each is promised an answer by the date beside it.")
    simple_list_pager = False
    column_list = ("name", "category", "kind", "state", "due_at", "created_at")
    column_details_list = (
        "name",
        "email",
        "kind",
        "category",
        "subcategory",
        "experience",
        "link",
        "is_adult",
        "locale",
        "zone",
        "created_at",
        "due_at",
        "reason",
    )
    column_searchable_list = ("name", "email", "experience")
    column_sortable_list = ("name", "due_at", "created_at")
    column_default_sort = ("due_at", False)
    column_filters = (
        Choice(
            Application.state,
            _l("State"),
            lambda: words.options("waiting", *STATES),
            lambda state: Application.state.in_(WAITING) if state == "waiting" else Application.state == state,
        ),
        Choice(Application.category, _l("Field"), columns.category_options),
    )
    column_labels = {
        "name": _l("Name"),
        "email": _l("Mail address"),
        "kind": _l("As"),
        "category": _l("Field"),
        "subcategory": _l("Special field"),
        "experience": _l("Experience"),
        "link": _l("Link"),
        "is_adult": _l("18 or older"),
        "locale": _l("Language"),
        "zone": _l("Time zone"),
        "created_at": _l("Received"),
        "due_at": _l("Answer by"),
        "reason": _l("Reason"),
        "state": _l("State"),
    }
    column_formatters = {
        "category": columns.category,
        "kind": columns.plain,
        "state": columns.state,
        "due_at": _due,
        "created_at": columns.instant,
    }
    column_formatters_detail = {
        **column_formatters,
        "subcategory": _subcategory,
        "link": _link,
        "is_adult": columns.yes_no,
    }
    details_template = "console/application.html"

    def title_of(self, record: Application) -> str:
        """The applicant's name."""
        return record.name

    def actions(self, record: Application) -> Sequence[Action]:
        """Write back, invite, decline: what the state allows."""
        return ACTIONS

    def context(self, db: Session, record: Application) -> dict[str, Any]:
        """Verdicts, correspondence, invitations, history."""
        rows = (
            select(ApplicationMessage, User.email)
            .outerjoin(User, User.id == ApplicationMessage.author_id)
            .where(ApplicationMessage.application_id == record.id)
            .order_by(ApplicationMessage.id)
        )
        invitations = select(Invitation).where(Invitation.application_id == record.id).order_by(Invitation.id.desc())
        return {
            "verdicts": latest_verdicts(db, "application", record.id),
            "messages": db.execute(rows).all(),
            "invitations": list(db.scalars(invitations)),
            "history": history.transitions(db, "application", record.id),
            "others": list(
                db.scalars(
                    select(Application).where(Application.email == record.email, Application.id != record.id).limit(10)
                )
            ),
        }
