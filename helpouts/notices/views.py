"""The page "Notices": what somebody wants to be told, where, and when to be reminded."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from markupsafe import Markup
from sqlalchemy.orm import Session

from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.notices import NotificationChannel, service
from helpouts.notices.choices import choose, offered, unwanted
from helpouts.notices.forms import NoticesForm, switch
from helpouts.notices.kinds import MAIL, Kind
from helpouts.notices.reminders import choose_leads, leads_of
from helpouts.runtime import runtime_of
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import requires

bp = Blueprint("notices", __name__)
log = structlog.get_logger("helpouts.notices")


@dataclass(frozen=True, slots=True)
class Panel:
    """A channel on the page: its own part, and the script that belongs to it."""

    name: str
    label: object
    body: str
    script: str


@bp.get("/account/notices")
@requires("signed_in")
def page() -> ResponseReturnValue:
    """The switches as they are."""
    db = current_db()
    off = unwanted(db, current_user.id)
    form = NoticesForm(formdata=None)
    form.offer(offered(current_user), _channels(db))
    off_values = {switch(kind, channel) for kind, channel in off}
    form.wanted.data = [value for value in form.offered if value not in off_values]
    form.leads.data = list(leads_of(db, current_user.id))
    return _show(form)


@bp.post("/account/notices")
@requires("signed_in")
def save() -> ResponseReturnValue:
    """Keep the switches."""
    db = current_db()
    form = NoticesForm()
    channels = _channels(db)
    form.offer(offered(current_user), channels)
    if form.validate_on_submit():
        pairs = [value.partition(":") for value in form.wanted.data or ()]
        try:
            choose(db, current_user.id, channels, {(kind, channel): True for kind, _colon, channel in pairs})
            choose_leads(db, current_user.id, form.leads.data or ())
            db.commit()
        except HelpoutsError as error:
            attach(form, error)
            db.rollback()
        else:
            flash(str(_l("Saved.")), "success")
            return redirect(url_for("notices.page"), 303)
    return _show(form, panels=False), 400


@bp.post("/account/notices/test")
@requires("signed_in")
def test() -> ResponseReturnValue:
    """Send a notice to whoever asks for it, through every channel that reaches them."""
    db = current_db()
    jobs = service.notify(
        db,
        current_user.id,
        "test",
        _l("It works"),
        _l("This is how notices look. You can change which ones you get at any time."),
        url_for("notices.page"),
    )
    db.commit()
    if jobs:
        flash(_("A notice is on its way to you."), "success")
    else:
        flash(_("There is no way to reach you yet: switch notices on in this browser first."), "warning")
    return redirect(url_for("notices.page"), 303)


def _channels(db: Session) -> dict[str, object]:
    """Names and labels of the columns: mail first, then the plugins' channels."""
    found = current_runtime().registry.notification_channels(db)
    return {MAIL: _("Mail"), **{name: channel.label for name, channel in found.items()}}


def _show(form: NoticesForm, *, panels: bool = True) -> str:
    """The page; after a refusal without the channels' parts, which may want to write in a transaction of their own."""
    db = current_db()
    channels = current_runtime().registry.notification_channels(db)
    return render_template(
        "helpouts/notices/page.html",
        form=form,
        kinds=offered(current_user),
        cells=_cells,
        chosen=set(form.wanted.data or ()),
        channels=_channels(db),
        panels=[_panel(db, name, channel) for name, channel in channels.items() if panels],
        reachable=service.reachable(db, current_user.id),
    )


def _cells(kind: Kind, channel: str) -> tuple[str, str]:
    """("switch", its value), ("always", "") or ("never", "") for one kind in one channel."""
    if channel == MAIL and kind.mail != "choice":
        return kind.mail, ""
    return "switch", switch(kind.name, channel)


def _panel(db: Session, name: str, channel: NotificationChannel) -> Panel:
    plugin = runtime_of(db).registry.plugin_of("helpouts_notification_channels", name) or ""
    script = url_for("plugin.static", plugin=plugin, path=channel.module.removeprefix("static/"))
    try:
        body = channel.panel(db, current_user.id) if channel.panel else ""
    except Exception:  # one plugin's fault does not take the page away
        log.exception("a channel cannot show its part of the page", plugin=plugin, channel=name)
        return Panel(name, channel.label, _("This cannot be set up at the moment. Please come back later."), "")
    return Panel(name, channel.label, Markup(body), script if channel.module else "")  # noqa: S704  # a plugin's own page
