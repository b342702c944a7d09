"""Users: who they are, which roles they hold, where they are signed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from sqlalchemy.orm import Session, selectinload
from wtforms import SelectField

from helpouts.accounts import service as accounts
from helpouts.accounts.models import Role, User
from helpouts.audit.actor import Actor
from helpouts.audit.service import record as audit
from helpouts.errors import Conflict
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.permissions import OPERATOR_ROLES
from helpouts_admin import columns, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import ReasonForm, choices
from helpouts_admin.views.base import Records

#: "customer" is everybody's; "expert" comes from an invitation and goes with it.
GIVEN = OPERATOR_ROLES


class RoleForm(ReasonForm):
    """Which role, and why."""

    role = SelectField(_l("Role"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role.choices = choices(words.options(*GIVEN))


def _grant(db: Session, user: User, form: Any, actor: Actor) -> None:
    if not accounts.grant_role(db, user, form.role.data, actor, form.reason.data):
        raise Conflict(_l("This person has the role already."), field="role")


def _revoke(db: Session, user: User, form: Any, actor: Actor) -> None:
    if not accounts.revoke_role(db, user, form.role.data, actor, form.reason.data):
        raise Conflict(_l("This person does not have the role."), field="role")


def _sign_out(db: Session, user: User, form: Any, actor: Actor) -> None:
    count = accounts.sign_out_everywhere(db, user)
    audit(db, actor, "user.sign_out", user, form.reason.data, sessions=count)


def _lock(db: Session, user: User, form: Any, actor: Actor) -> None:
    if user.id == actor.user_id:
        raise Conflict(_l("You cannot block yourself."))
    accounts.set_active(db, user, False, actor, form.reason.data)


def _unlock(db: Session, user: User, form: FlaskForm, actor: Actor) -> None:
    accounts.set_active(db, user, True, actor, form["reason"].data)


ACTIONS = (
    Action("grant", _l("Give a role"), _grant, RoleForm, explain=_l("It counts at the person's next click.")),
    Action("revoke", _l("Take a role away"), _revoke, RoleForm, explain=_l("Signs the person out everywhere.")),
    Action(
        "sign_out", _l("Sign out everywhere"), _sign_out, explain=_l("On every device, at once. The password stays.")
    ),
    Action(
        "lock",
        _l("Block the account"),
        _lock,
        when=lambda user: user.active,
        danger=True,
        explain=_l("Signs the person out and lets nobody in with this account until it is opened again."),
    ),
    Action("unlock", _l("Open the account again"), _unlock, when=lambda user: not user.active),
)


def _roles(view: Any, context: Any, record: User, name: str) -> Any:
    return words.Markup(" ").join(words.badge(role.name) for role in record.roles if role.name != "customer")


def _active(view: Any, context: Any, record: User, name: str) -> Any:
    return words.badge("active" if record.active else "inactive")


class UsersView(Records):
    """Read-only but for roles and sessions; nothing of passwords or second factors is ever read."""

    shows = User
    endpoint_name = "console_users"
    column_list = ("email", "name", "roles", "active", "created_at")
    column_details_list = (
        "email",
        "name",
        "roles",
        "active",
        "locale",
        "zone",
        "birth_date",
        "confirmed_at",
        "created_at",
    )
    column_searchable_list = ("email", "name")
    column_sortable_list = ("email", "created_at")
    column_default_sort = ("id", True)
    column_filters = (
        Choice(
            User.id,
            _l("Role"),
            lambda: words.options("expert", *OPERATOR_ROLES),
            lambda role: User.roles.any(Role.name == role),
        ),
        Choice(
            User.active,
            _l("Account"),
            lambda: words.options("active", "inactive"),
            lambda state: User.active.is_(state == "active"),
        ),
    )
    column_labels = {
        "email": _l("Mail address"),
        "name": _l("Name"),
        "roles": _l("Roles"),
        "active": _l("Account"),
        "created_at": _l("Since"),
        "locale": _l("Language"),
        "zone": _l("Time zone"),
        "birth_date": _l("Born"),
        "confirmed_at": _l("Address confirmed"),
    }
    column_formatters = {"roles": _roles, "active": _active, "created_at": columns.instant}
    column_formatters_detail = {**column_formatters, "confirmed_at": columns.instant}
    details_template = "console/user.html"

    def get_query(self) -> Any:
        """With everybody's roles, in one further query for all."""
        return super().get_query().options(selectinload(User.roles))

    def title_of(self, record: User) -> str:
        """The name, else the address."""
        return record.name or record.email

    def actions(self, record: User) -> Sequence[Action]:
        """Roles, sessions, block."""
        return ACTIONS

    def context(self, db: Session, record: User) -> dict[str, Any]:
        """Where the person is signed in."""
        return {"devices": accounts.sessions_of(db, record), "unknown": _("Unknown device")}
