"""Pages on the way to becoming an expert: the public form, the applicant's own page, and joining with a code."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import select

from helpouts import i18n
from helpouts.accounts.models import User
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting import service
from helpouts.vetting.forms import AddFieldForm, CodeForm, InterestForm, MessageForm, ProfileForm
from helpouts.vetting.history import history
from helpouts.vetting.models import Application, Invitation
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("vetting", __name__)
#: Endpoints whose POST requests are limited, since they send mails or try codes.
LIMITED = ("vetting.interest", "vetting.reply", "vetting.appeal", "vetting.join")


@bp.route("/become-an-expert", methods=["GET", "POST"])
@requires("public", while_closed=True)
def interest() -> ResponseReturnValue:
    """First the field, then the form; there while the site is closed, too."""
    db = current_db()
    categories = current_runtime().registry.categories(db)
    category = categories.get(request.values.get("category", ""))
    if category is None:
        wrong = request.method == "POST" or "category" in request.args
        page = render_template("helpouts/vetting/interest.html", fields=categories.values(), wrong=wrong)
        return page, 400 if wrong else 200
    form = InterestForm(category)
    if form.validate_on_submit():
        if form.homepage.data:  # a program: it is told that all went well
            return redirect(url_for("web.home"), 303)
        try:
            application = service.apply(
                db,
                name=form.name.data or "",
                email=form.email.data or "",
                kind=form.kind.data,
                category=category.slug,
                subcategory=form.subcategory.data or "",
                experience=form.experience.data or "",
                link=form.link.data or "",
                is_adult=bool(form.is_adult.data),
                locale=i18n.current_locale(),
                zone=i18n.current_zone(),
            )
        except HelpoutsError as error:
            attach(form, error)
        else:
            db.commit()
            flash(str(_l("Thank you! We have your application.")), "success")
            return redirect(url_for("vetting.application", public_id=application.public_id), 303)
    status = 400 if form.errors else 200
    return render_template("helpouts/vetting/interest.html", category=category, form=form), status


def _find(public_id: str) -> Application:
    found = current_db().scalar(select(Application).where(Application.public_id == public_id))
    if found is None:
        raise NotFound(_l("There is no such application: open the link in our mail once more."))
    return found


def _show(found: Application, form: MessageForm, status: int = 200) -> ResponseReturnValue:
    db = current_db()
    return (
        render_template(
            "helpouts/vetting/application.html",
            application=found,
            category=current_runtime().registry.category(found.category),
            history=history(service.steps_of(db, found), found),
            messages=service.messages_of(db, found),
            advice=service.advice_of(db, found),
            may_appeal=service.may_appeal(db, found),
            form=form,
        ),
        status,
    )


@bp.get("/applications/<public_id>")
@requires("public", while_closed=True)
def application(public_id: str) -> ResponseReturnValue:
    """The applicant's own page, behind its unguessable link."""
    return _show(_find(public_id), MessageForm())


@bp.post("/applications/<public_id>/reply")
@requires("public", while_closed=True)
def reply(public_id: str) -> ResponseReturnValue:
    """The applicant answers."""
    found, form = _find(public_id), MessageForm()
    if form.validate_on_submit():
        try:
            service.reply(current_db(), found, form.body.data or "")
        except HelpoutsError as error:
            attach(form, error)
        else:
            current_db().commit()
            flash(str(_l("Your message is with us.")), "success")
            return redirect(url_for("vetting.application", public_id=public_id), 303)
    return _show(found, form, 400)


@bp.post("/applications/<public_id>/appeal")
@requires("public", while_closed=True)
def appeal(public_id: str) -> ResponseReturnValue:
    """The applicant asks a second person to look."""
    found, form = _find(public_id), MessageForm()
    if form.validate_on_submit():
        try:
            service.appeal(current_db(), found, form.body.data or "")
        except HelpoutsError as error:
            attach(form, error)
        else:
            current_db().commit()
            flash(str(_l("Thank you. A second person looks at your application.")), "success")
            return redirect(url_for("vetting.application", public_id=public_id), 303)
    return _show(found, form, 400)


@bp.route("/join", methods=["GET", "POST"])
@requires("public", while_closed=True)
def join() -> ResponseReturnValue:
    """With a code to a profile: says what to do to those who are not signed in, checks the code, asks, redeems."""
    code, category = request.values.get("code", "").strip(), request.values.get("category", "")
    if not current_user.is_authenticated:
        target = url_for("vetting.join", code=code or None, category=category or None)
        if request.method == "POST":
            return redirect(url_for("security.login", next=target), 303)
        return render_template("helpouts/vetting/join_first.html", code=code, target=target)
    db = current_db()
    start = CodeForm(data={"code": code, "category": category})
    if request.method == "GET" and not code:
        return render_template("helpouts/vetting/join.html", form=start)
    if request.method == "POST" and not start.validate():
        return render_template("helpouts/vetting/join.html", form=start), 400
    try:
        invitation = service.check_code(db, code, category or None)
    except HelpoutsError as error:
        attach(start, error)
        return render_template("helpouts/vetting/join.html", form=start), 400
    return _profile(invitation, code, category)


def _profile(invitation: Invitation, code: str, category: str) -> ResponseReturnValue:
    db = current_db()
    user: User = current_user._get_current_object()
    expert = service.owned_expert(db, user)
    sent = request.method == "POST" and "step" in request.form
    kept = {"code": code, "category": category}
    form = AddFieldForm(data=kept) if expert else _profile_form(invitation, kept, sent)
    if sent and form.validate():
        try:
            service.redeem(
                db,
                user,
                code,
                category=category or None,
                kind=form.data.get("kind", ""),
                name=form.data.get("name") or "",
                headline=form.data.get("headline") or "",
                zone=form.data.get("zone") or "",
                languages=form.data.get("languages") or (),
                bio=form.data.get("bio") or "",
            )
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
        else:
            db.commit()
            flash(str(_l("Welcome! You are an expert now. Write your first listing.")), "success")
            return redirect(url_for("catalog.expert_dashboard"), 303)
    found = current_runtime().registry.category(invitation.category)
    page = render_template("helpouts/vetting/join_profile.html", form=form, category=found, expert=expert)
    return page, 400 if form.errors else 200


def _profile_form(invitation: Invitation, kept: dict[str, str], sent: bool) -> ProfileForm:
    if sent:
        return ProfileForm(data=kept)
    applied = invitation.application
    known = {"kind": applied.kind, "name": applied.name} if applied else {}
    return ProfileForm(formdata=None, data={**kept, **known})


@bp.record
def _limit(state: BlueprintSetupState) -> None:
    """Let each address try only so often (``config.login_rate``), once the views are there."""
    limiter = state.app.extensions.get("helpouts_limiter")
    if limiter is None:
        return
    rate = state.app.extensions["helpouts"].config.login_rate
    shared = limiter.shared_limit(rate, scope="vetting", methods=["POST"])
    for endpoint in LIMITED:
        state.app.view_functions[endpoint] = shared(state.app.view_functions[endpoint])
