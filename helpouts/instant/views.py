"""Pages of help right now: ask, wait, answer; and the switch on every page of an expert."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy import Integer, bindparam, literal_column, select

from helpouts import site
from helpouts.accounts.models import User
from helpouts.accounts.security import safe_next
from helpouts.catalog.cards import picture
from helpouts.catalog.models import ExpertMember, Listing
from helpouts.clock import clock
from helpouts.db.prepared import Prepared
from helpouts.errors import HelpoutsError, NotFound
from helpouts.i18n import current_zone, in_language
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.instant import answering, asking, desk, line, matching, offers, presence, tickets
from helpouts.instant.forms import EmptyForm, ask_form
from helpouts.instant.models import OPEN_STATES, AvailableSwitch, InstantOffer, InstantRequest
from helpouts.payments import service as money
from helpouts.payments.backend import Declined
from helpouts.sessions.service import session_of
from helpouts.web.db import current_db, current_runtime, reads_first, writing
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor, requires

bp = Blueprint("instant", __name__)


# -- the customer ------------------------------------------------------------------------------------------------


@bp.route("/now", methods=["GET", "POST"])
@reads_first
@requires("signed_in")
def ask() -> ResponseReturnValue:
    """Ask for help now, from a listing (``?listing=``) or in a field (``?category=``, ``&sub=``)."""
    db = current_db()
    running = asking.open_request(db, current_user.id)
    if running is not None:
        return redirect(url_for("instant.wait", public_id=running.public_id), 303)
    slug, category_slug = request.values.get("listing", ""), request.values.get("category", "")
    registry = current_runtime().registry
    if slug:
        listing = db.scalar(select(Listing).where(Listing.slug == slug, Listing.state == "live"))
        if listing is None:
            raise NotFound(_l("There is no such listing."))
        return _ask(listing, registry.category(listing.category), listing.category, listing.subcategory)
    categories = registry.categories(db)
    if category_slug in categories:
        return _ask(None, categories[category_slug], category_slug, request.values.get("sub", ""))
    fields = [(key, in_language(found.name), found.icon) for key, found in categories.items()]
    return render_template("helpouts/instant/fields.html", fields=fields)


def _ask(listing: Listing | None, category: Any, slug: str, sub: str) -> ResponseReturnValue:
    db = current_db()
    me: int = current_user.id
    caps = [] if listing is not None else offers.caps(db, slug, sub, me)
    form = ask_form(category, caps, others=listing is not None)()
    if request.method == "GET":
        form.key.data = secrets.token_urlsafe(12)
    short = False
    if form.validate_on_submit() and (listing is not None or caps):
        try:
            made = _send(form, category, listing, slug, sub)
            return redirect(url_for("instant.wait", public_id=made.public_id), 303)
        except asking.NobodyThere:
            pass  # the page says so, and what else there is
        except HelpoutsError as error:
            short = isinstance(error, Declined)
            attach(form, error)
    return _ask_page(form, category, listing, slug, sub, bool(caps), short)


def _send(form: Any, category: Any, listing: Listing | None, slug: str, sub: str) -> InstantRequest:
    currency, _sep, most = (form.most.data if listing is None else "EUR:0").partition(":")
    actor, me, listing_id = current_actor("customer"), current_user.id, listing.id if listing is not None else None
    with writing() as db:
        return asking.ask(
            db,
            db.get_one(User, me),
            {question.key: form.data.get(f"intake_{question.key}") for question in category.intake},
            listing=db.get_one(Listing, listing_id) if listing_id is not None else None,
            category=slug,
            subcategory=sub,
            most_minor=int(most),
            currency=currency,
            others=bool(form.data.get("others")),
            zone=current_zone(),
            idempotency_key=form.key.data or "",
            actor=actor,
        )


def _ask_page(
    form: Any, category: Any, listing: Listing | None, slug: str, sub: str, there: bool, short: bool
) -> ResponseReturnValue:
    db, me = current_db(), current_user.id
    if listing is not None:
        outlook = offers.outlook(db, offers.wish_for(listing, me))
    elif there:
        currency = str(form.most.choices[0].value).partition(":")[0]
        outlook = offers.outlook(db, matching.Wish(me, None, slug, sub, offers.NO_LIMIT, currency, True))
    else:
        outlook = offers.Outlook("empty")
    name = in_language(category.name)
    here: dict[str, Any] = {"category": slug, "sub": sub or None} if listing is None else {"listing": listing.slug}
    if outlook.state == "empty":
        start, others = offers.alternatives(db, listing, slug, sub, me)
        page = render_template(
            "helpouts/instant/nobody.html", listing=listing, field=name, slug=slug, next_free=start, others=others
        )
        return page, 200 if request.method == "GET" else 409
    amount = matching.cost_of(listing) if listing is not None else 0
    page = render_template(
        "helpouts/instant/ask.html",
        form=form,
        listing=listing,
        field=name,
        category=category,
        questions=[form[f"intake_{question.key}"] for question in category.intake],
        outlook=outlook,
        amount=amount,
        action=url_for("instant.ask", **here),
        wallet=money.checkout_view(db, me, amount, listing.currency) if listing is not None and amount else None,
        short=short,
        setup_url=money.setup_url(db, me),
        back={"next": url_for("instant.ask", **here)},
        face=picture(listing.expert.owner.avatar) if listing is not None else "",
    )
    return page, 400 if form.errors else 200


@bp.get("/now/<public_id>")
@requires("signed_in")
def wait(public_id: str) -> ResponseReturnValue:
    """Who is asked, the place in the line, or what became of it; reloading keeps the place."""
    return render_template("helpouts/instant/wait.html", **_waiting(public_id))


@bp.get("/now/<public_id>/status")
@requires("signed_in")
def status(public_id: str) -> ResponseReturnValue:
    """The part of that page which changes."""
    return render_template("helpouts/instant/_status.html", **_waiting(public_id))


def _waiting(public_id: str) -> dict[str, Any]:
    db = current_db()
    asked = asking.own_request(db, public_id, current_user.id)
    if asked.state in OPEN_STATES:  # a sign of life, also of a browser without scripts
        with current_runtime().database.write() as writer:
            asking.hear(writer, asked.customer_id)
    ringing = select(InstantOffer).where(InstantOffer.request_id == asked.id, InstantOffer.state == "ringing")
    offer = db.scalar(ringing)
    session = session_of(db, asked.booking) if asked.state == "accepted" else None
    start, others = None, []
    if asked.state in ("unanswered", "lapsed"):
        start, others = offers.alternatives(db, asked.listing, asked.category, asked.subcategory, asked.customer_id)
    return {
        "asked": asked,
        "is_open": asked.state in OPEN_STATES,
        "offer": offer,
        "face": picture(offer.user.avatar) if offer is not None else "",
        "place": line.place_of(db, asked) if asked.state == "waiting" else None,
        "room": session.room_id if session is not None and session.state != "ended" else "",
        "field": in_language(current_runtime().registry.category(asked.category).name),
        "next_free": start,
        "others": others,
        "grace": max(1, site.get(db, "line_grace_seconds") // 60),
    }


@bp.post("/now/<public_id>/leave")
@requires("signed_in")
def leave(public_id: str) -> ResponseReturnValue:
    """Give up; costs nothing."""
    db = current_db()
    asked = asking.own_request(db, public_id, current_user.id)
    _check_form()
    try:
        asking.withdraw(db, asked, current_actor("customer"))
        db.commit()
    except HelpoutsError as error:
        db.rollback()
        flash(str(error), "info")
    return redirect(url_for("instant.wait", public_id=public_id), 303)


# -- the expert --------------------------------------------------------------------------------------------------


@bp.post("/desk/switch")
@requires("expert")
def switch() -> ResponseReturnValue:
    """Turn "available now" on or off (``on`` is "1" or "")."""
    db = current_db()
    _check_form()
    on = presence.turn(db, current_user.id, request.form.get("on") == "1").is_on
    db.commit()
    flash(
        _("You are available now. Keep a page of this site open: it rings.")
        if on
        else _("You are not available any more."),
        "success",
    )
    target = request.form.get("next", "")
    return redirect(target if safe_next(target) else url_for("catalog.expert_dashboard"), 303)


@bp.get("/desk/offers/<public_id>")
@requires("signed_in")
def offer(public_id: str) -> ResponseReturnValue:
    """What rings, as a page: where a notification leads, and for browsers without scripts."""
    found = answering.own_offer(current_db(), public_id, current_user.id)
    ring = desk.states(current_db(), [current_user.id])[current_user.id]["rings"]
    return render_template("helpouts/instant/offer.html", offer=found, ring=next(iter(ring), None))


@bp.post("/desk/offers/<public_id>/<any(accept, decline):answer>")
@reads_first
@requires("signed_in")
def answer(public_id: str, answer: str) -> ResponseReturnValue:
    """Take it or not; scripts get {"go"} or {"error"}."""
    me = current_user.id
    answering.own_offer(current_db(), public_id, me)
    _check_form()
    actor = current_actor("expert")
    go = url_for("catalog.expert_dashboard")
    try:
        with writing() as db:
            found = answering.own_offer(db, public_id, me)
            if answer == "accept":
                session = session_of(db, answering.accept(db, found, actor))
                go = url_for("sessions.room", room_id=session.room_id) if session is not None else go
            else:
                answering.decline(db, found, actor)
    except HelpoutsError as error:
        with writing() as db:
            answering.skip(db, answering.own_offer(db, public_id, me), error)
        if _wants_json():
            return {"error": str(error), "code": error.code}, error.status
        flash(str(error), "error")
        return redirect(url_for("instant.offer", public_id=public_id), 303)
    return {"go": go if answer == "accept" else ""} if _wants_json() else redirect(go, 303)


@bp.post("/desk/ticket")
@requires("signed_in")
def ticket() -> ResponseReturnValue:
    """A ticket for one device: {"ticket", "url"}."""
    try:
        issued = tickets.issue(current_db(), current_user.id)
        current_db().commit()
    except HelpoutsError as error:
        return {"error": str(error), "code": error.code}, error.status
    return {"ticket": issued.token, "url": issued.url}


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _check_form() -> None:
    if not EmptyForm().validate_on_submit():
        raise HelpoutsError(_l("This page was too old: go back, reload it and try again."))


# -- on every page -----------------------------------------------------------------------------------------------


@bp.app_context_processor
def on_every_page() -> dict[str, Any]:
    """``now_desk`` for the frame: the switch of an expert and the request of a customer, in one query; None for others.

    ``help_now(listing)`` for the page of a listing.
    """
    return {"now_desk": _desk(), "help_now": help_now}


_ME = bindparam("me", type_=Integer)
_member, _switch, _asked = ExpertMember.__table__.c, AvailableSwitch.__table__.c, InstantRequest.__table__.c
_STANDING = Prepared(
    select(
        select(_member.id).where(_member.user_id == _ME).limit(1).scalar_subquery(),
        select(_switch.is_on).where(_switch.user_id == _ME).scalar_subquery(),
        select(_asked.public_id)
        .where(_asked.customer_id == _ME, _asked.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES]))
        .limit(1)
        .scalar_subquery(),
    )
)


def _desk() -> dict[str, Any] | None:
    if not current_user.is_authenticated:
        return None
    if "desk" not in g:
        (row,) = _STANDING.all(current_db(), {"me": current_user.id})
        g.desk = {"expert": row[0] is not None, "on": bool(row[1]), "request": row[2]}
    found: dict[str, Any] = g.desk
    return found if found["expert"] or found["request"] else None


def help_now(listing: Listing) -> str:
    """How it stands for a listing at this moment: "free", "busy" or "empty"."""
    db = current_db()
    me = current_user.id if current_user.is_authenticated else 0
    now = clock.now()
    if listing.state != "live" or not presence.any_switch_on(db, listing.expert_id):
        return "empty"
    wish = offers.wish_for(listing, me)
    if next(matching.candidates(db, wish, now), None) is not None:
        return "free"
    return "busy" if matching.busy(db, wish, now) else "empty"
