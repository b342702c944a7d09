"""Invitation codes: issue one, see what became of it, revoke it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy import and_
from sqlalchemy.orm import Session
from wtforms import EmailField, SelectField
from wtforms.validators import DataRequired, Length

from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting import service as vetting
from helpouts.vetting.models import Invitation
from helpouts_admin import columns, words
from helpouts_admin.actions import Action, ShowOnce
from helpouts_admin.filters import Choice
from helpouts_admin.forms import choices
from helpouts_admin.views.base import Answer, Records, expose, forms_for, perform


class IssueForm(FlaskForm):
    """For whom, in which field."""

    email = EmailField(_l("Mail address"), validators=[DataRequired(_l("Write the address.")), Length(max=255)])
    category = SelectField(_l("Field"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.category.choices = choices(columns.category_options())


def _issue(db: Session, _record: object, form: Any, actor: Actor) -> ShowOnce:
    _invitation, code = vetting.issue(db, form.category.data, form.email.data, actor)
    return ShowOnce(
        _("This is the code:"),
        code,
        _("It is in the mail to %(email)s too. It is shown only this once.", email=form.email.data),
    )


def _revoke(db: Session, invitation: Invitation, form: Any, actor: Actor) -> None:
    vetting.revoke(db, invitation, form.reason.data, actor)


def state_of(invitation: Invitation) -> str:
    """What became of a code, in one word."""
    if invitation.used_at:
        return "used"
    if invitation.revoked_at:
        return "revoked"
    return "expired" if invitation.expires_at <= clock.now() else "valid"


def _in_state(state: str) -> Any:
    unused = Invitation.used_at.is_(None)
    return {
        "used": Invitation.used_at.is_not(None),
        "revoked": and_(unused, Invitation.revoked_at.is_not(None)),
        "expired": and_(unused, Invitation.revoked_at.is_(None), Invitation.expires_at <= clock.now()),
        "valid": and_(unused, Invitation.revoked_at.is_(None), Invitation.expires_at > clock.now()),
    }[state]


ISSUE = Action(
    "issue", _l("Issue an invitation"), _issue, IssueForm, explain=_l("The code is mailed at once."), primary=True
)
REVOKE = Action(
    "revoke",
    _l("Revoke"),
    _revoke,
    when=lambda invitation: state_of(invitation) in ("valid", "expired"),
    danger=True,
    explain=_l("The code stops working at once."),
    done=_l("Revoked."),
)


def _code(view: Any, context: Any, record: Invitation, name: str) -> Markup:
    return Markup("<code>…{}</code>").format(record.hint)


def _state(view: Any, context: Any, record: Invitation, name: str) -> Any:
    return words.badge(state_of(record))


class InvitationsView(Records):
    """Codes are known by their last four characters; the rest is stored nowhere."""

    shows = Invitation
    endpoint_name = "console_invitations"
    intro = _l("Nobody becomes an expert without one. Each is for one field and one use.")
    column_list = ("hint", "email", "category", "state", "expires_at", "created_at")
    column_details_list = ("hint", "email", "category", "state", "created_at", "expires_at", "used_at", "revoked_at")
    column_searchable_list = ("email", "hint")
    column_sortable_list = ("email", "expires_at", "created_at")
    column_default_sort = ("id", True)
    column_filters = (
        Choice(Invitation.id, _l("State"), lambda: words.options("valid", "used", "expired", "revoked"), _in_state),
        Choice(Invitation.category, _l("Field"), columns.category_options),
    )
    column_labels = {
        "hint": _l("Code"),
        "email": _l("Mail address"),
        "category": _l("Field"),
        "state": _l("State"),
        "expires_at": _l("Valid until"),
        "created_at": _l("Issued"),
        "used_at": _l("Used"),
        "revoked_at": _l("Revoked"),
    }
    column_formatters = {
        "hint": _code,
        "category": columns.category,
        "state": _state,
        "expires_at": columns.instant,
        "created_at": columns.instant,
        "used_at": columns.instant,
        "revoked_at": columns.instant,
    }
    column_formatters_detail = column_formatters
    list_template = "console/invitations.html"
    details_template = "console/invitation.html"

    def title_of(self, record: Invitation) -> str:
        """The end of the code."""
        return f"…{record.hint}"

    def actions(self, record: Invitation) -> Sequence[Action]:
        """A code that is not used can be revoked."""
        return (REVOKE,)

    def context(self, db: Session, record: Invitation) -> dict[str, Any]:
        """Where it came from and who used it."""
        return {"state": state_of(record)}

    @expose("/issue/")
    def issue_form(self) -> Answer:
        """The form for a new code."""
        self.require("issue")
        return self.render("console/issue.html", pair=forms_for([ISSUE])[0], shown=None)

    @expose("/issue/", methods=("POST",))
    def issue(self) -> Answer:
        """Issue a code and show it once."""
        self.require("issue")
        form, shown = perform(self, ISSUE, None)
        pair = forms_for([ISSUE], None, ("issue", form) if form is not None else None)[0]
        return self.render("console/issue.html", pair=pair, shown=shown), 400 if form is not None else 200
