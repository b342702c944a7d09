"""Signing a browser up and off, below ``/x/notify_webpush/``, and the part of the page "Notices" where people do it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from helpouts.accounts.overview import browser_name
from helpouts.i18n import gettext as _
from helpouts.web.db import current_db
from helpouts_notify_webpush import keys, service


def make_blueprint() -> Blueprint:
    """A fresh blueprint: each application mounts its own."""
    bp = Blueprint(service.PLUGIN, __name__, template_folder="templates")
    bp.add_url_rule("/key", "key", key)
    bp.add_url_rule("/subscribe", "subscribe", subscribe, methods=["POST"])
    bp.add_url_rule("/unsubscribe", "unsubscribe", unsubscribe, methods=["POST"])
    bp.add_url_rule("/remove/<int:number>", "remove", remove, methods=["POST"])
    return bp


def panel(db: Session, user_id: int) -> str:
    """This channel's part of the page "Notices"."""
    return render_template(
        "helpouts_notify_webpush/panel.html",
        browsers=service.browsers_of(db, user_id),
        key=keys.public(keys.ensure(db)),
    )


def key() -> ResponseReturnValue:
    """The site's public key and a form key: what a service worker needs to renew a subscription by itself."""
    return {"key": keys.public(keys.ensure(current_db())), "csrf": generate_csrf()}


def subscribe() -> ResponseReturnValue:
    """Keep the subscription that the browser has made."""
    sent = _object(request.get_json(silent=True))
    both = _object(sent.get("keys"))
    endpoint, p256dh, auth = (str(text or "") for text in (sent.get("endpoint"), both.get("p256dh"), both.get("auth")))
    label = browser_name(request.headers.get("User-Agent", ""))
    service.subscribe(current_db(), current_user.id, endpoint, p256dh, auth, label)
    current_db().commit()
    return {"ok": True}, 201


def unsubscribe() -> ResponseReturnValue:
    """Forget the subscription of the browser that asks."""
    endpoint = str(_object(request.get_json(silent=True)).get("endpoint") or "")
    gone = service.unsubscribe(current_db(), current_user.id, endpoint=endpoint)
    current_db().commit()
    return {"ok": gone}


def _object(given: Any) -> dict[str, Any]:
    """What was sent, if it is an object."""
    return given if isinstance(given, dict) else {}


def remove(number: int) -> ResponseReturnValue:
    """Forget another browser."""
    if service.unsubscribe(current_db(), current_user.id, number=number):
        current_db().commit()
        flash(_("No more notices there."), "success")
    return redirect(url_for("notices.page"), 303)
