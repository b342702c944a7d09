"""Pages of a company: its people, and joining it by the link in a mail."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Length

from helpouts.accounts.models import User
from helpouts.catalog.cards import picture
from helpouts.catalog.desk import actor, own_expert
from helpouts.catalog.forms import ActionForm, options
from helpouts.catalog.models import Expert
from helpouts.catalog.service import expert_of
from helpouts.companies import invitations, members
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("companies", __name__)


class InviteForm(FlaskForm):
    """Whom, and as what."""

    email = StringField(
        _l("Mail address"),
        validators=[InputRequired(_l("Enter a mail address.")), Length(max=255, message=_l("This is too long."))],
        render_kw={"type": "email", "autocomplete": "off"},
    )
    role = RadioField(_l("Part in the company"), default="member")


def role_names() -> dict[str, str]:
    """What each part is called, the owner's too."""
    return {"owner": _("Owner"), "manager": _("Manager"), "member": _("Member")}


@bp.app_template_global()
def acts_for_company() -> bool:
    """Whether the person at hand works for a company, so that the experts' pages have a tab for its people."""
    expert = expert_of(current_db(), current_db().get_one(User, current_user.id))
    return expert is not None and expert.kind == "company"


def own_company() -> Expert:
    """The company that the person at hand belongs to.

    :raises NotFound: they work for themselves.
    """
    expert = own_expert()
    if expert.kind != "company":
        raise NotFound(_l("Only companies have members. Write to us if your profile is to become a company's."))
    return expert


@bp.route("/expert/people", methods=["GET", "POST"])
@requires("expert")
def people() -> ResponseReturnValue:
    """Who belongs to the company; owner and managers invite here."""
    db, expert = current_db(), own_company()
    form = InviteForm()
    part = members.role_in(expert, current_user.id)
    names = role_names()
    offered = ["member", "manager"] if part == "owner" else ["member"]
    form.role.choices = options([(role, names[role]) for role in offered])
    if form.validate_on_submit():
        try:
            invitations.invite(db, expert, form.email.data or "", form.role.data, db.get_one(User, current_user.id))
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            flash(_("Invited: the mail is on its way."), "success")
            return redirect(url_for("companies.people"), 303)
    page = render_template(
        "helpouts/companies/people.html",
        expert=expert,
        form=form,
        part=part,
        names=names,
        people=sorted(expert.members, key=lambda member: (list(names).index(member.role), member.user.name)),
        pictures={member.user_id: picture(member.user.avatar) for member in expert.members},
        invitations=invitations.open_invitations(db, expert),
    )
    return page, 400 if form.errors else 200


@bp.route("/expert/people/<int:user_id>", methods=["GET", "POST"])
@requires("expert")
def person(user_id: int) -> ResponseReturnValue:
    """One member: their part, and the end of it.  What is done is confirmed on this page of its own."""
    db, expert = current_db(), own_company()
    if request.method == "POST":
        return _change(expert, user_id)
    member = members.member_of(expert, user_id)
    return render_template(
        "helpouts/companies/person.html",
        expert=expert,
        member=member,
        part=members.role_in(expert, current_user.id),
        names=role_names(),
        own=user_id == current_user.id,
        ahead=members.sessions_ahead(db, expert, user_id),
        avatar_url=picture(member.user.avatar),
    )


def _change(expert: Expert, user_id: int) -> ResponseReturnValue:
    db, wanted = current_db(), request.form.get("action", "")
    verbs: dict[str, tuple[Callable[[], None], str]] = {
        "manager": (lambda: members.set_role(db, expert, user_id, "manager", actor()), _("Saved.")),
        "member": (lambda: members.set_role(db, expert, user_id, "member", actor()), _("Saved.")),
        "owner": (lambda: members.hand_over(db, expert, user_id, actor()), _("The company is handed over.")),
        "remove": (lambda: members.remove(db, expert, user_id, actor()), _("This person has left the company.")),
    }
    if wanted not in verbs or not ActionForm().validate_on_submit():
        raise HelpoutsError(_l("This page was too old: go back, reload it and try again."))
    verb, said = verbs[wanted]
    try:
        verb()
    except HelpoutsError as error:
        db.rollback()
        flash(str(error), "error")
        return redirect(url_for("companies.person", user_id=user_id), 303)
    db.commit()
    flash(said, "success")
    gone = wanted == "remove" and user_id == current_user.id
    return redirect(url_for("web.home") if gone else url_for("companies.people"), 303)


@bp.post("/expert/people/invitations/<int:invitation_id>/revoke")
@requires("expert")
def revoke(invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    db, expert = current_db(), own_company()
    if not ActionForm().validate_on_submit():
        raise HelpoutsError(_l("This page was too old: go back, reload it and try again."))
    try:
        invitations.revoke(db, expert, invitation_id, actor())
    except HelpoutsError as error:
        db.rollback()
        flash(str(error), "error")
    else:
        db.commit()
        flash(_("Taken back."), "success")
    return redirect(url_for("companies.people"), 303)


@bp.route("/company/join/<token>", methods=["GET", "POST"])
@requires("public", while_closed=True)
def join(token: str) -> ResponseReturnValue:
    """Say yes or no to an invitation; opening the page changes nothing."""
    db = current_db()
    invitation = invitations.find(db, token)
    form = ActionForm()
    if form.validate_on_submit():
        try:
            answer = _answer(token, yes=request.form.get("answer") == "yes")
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            return answer
        invitation = invitations.find(db, token)
    page = render_template(
        "helpouts/companies/join.html", invitation=invitation, expert=invitation.expert, form=form, token=token
    )
    return page, 400 if form.errors else 200


def _answer(token: str, *, yes: bool) -> ResponseReturnValue:
    db = current_db()
    if not yes:
        invitations.decline(db, token, current_actor("customer"))
        flash(_("You have said no. You will hear no more of it."), "success")
        return redirect(url_for("web.home"), 303)
    if not current_user.is_authenticated:
        return redirect(url_for("security.login", next=url_for("companies.join", token=token)), 303)
    expert = invitations.accept(db, token, db.get_one(User, current_user.id))
    flash(
        _("Welcome to %(company)s. Now say when you work: only then you can be booked.", company=expert.name), "success"
    )
    return redirect(url_for("scheduling.hours"), 303)
