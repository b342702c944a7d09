"""Settings of the site itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import DecimalField, IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange

from helpouts import site
from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.storage.folder import FOLDER
from helpouts.web.db import current_db, current_runtime
from helpouts.web.forms import attach
from helpouts.web.permissions import current_actor
from helpouts_admin import words
from helpouts_admin.forms import choices
from helpouts_admin.views.base import Answer, Page, expose

#: Whole numbers: key, least, most.
NUMBERS = {
    "hold_minutes": (1, 120),
    "application_days": (1, 90),
    "invitation_days": (1, 365),
    "refund_hours": (0, 24 * 90),
    "late_minutes": (0, 60),
    "files_days": (1, 3650),
    "recording_days": (1, 365),
    "ring_seconds": (5, 300),
    "line_grace_seconds": (15, 3600),
    "rank_text": (0, 1000),
    "rank_rating": (0, 1000),
    "rank_soon": (0, 1000),
    "rank_reliability": (0, 1000),
    "rank_fresh": (0, 1000),
    "rank_new": (0, 1000),
}


#: Fields that hold the transport of one category.
BY_CATEGORY = "video_transport_of_"


def _whole(key: str, label: Any, about: Any) -> IntegerField:
    least, most = NUMBERS[key]
    message = _l("Enter a whole number from %(least)s to %(most)s.", least=least, most=most)
    return IntegerField(
        label, description=about, validators=[InputRequired(message), NumberRange(least, most, message)]
    )


class SiteForm(FlaskForm):
    """What operators change while the site runs."""

    state = SelectField(
        _l("State of the site"),
        description=_l(
            "Before the start: the front page and the form for experts. By invitation only: people with an account."
        ),
    )
    fee = DecimalField(
        _l("Fee in percent"),
        places=2,
        description=_l("Of what an expert earns in paid sessions; a category may have its own. New bookings only."),
        validators=[
            InputRequired(_l("Enter a number from 0 to 100.")),
            NumberRange(0, 100, _l("Enter a number from 0 to 100.")),
        ],
    )
    payment_backend = SelectField(_l("Payment backend"), description=_l("For new bookings; earlier ones keep theirs."))
    video_transport = SelectField(_l("Video transport"), description=_l("For rooms that open from now on."))
    storage = SelectField(_l("Storage of files"), description=_l("For new recordings and files; earlier ones stay."))
    hold_minutes = _whole("hold_minutes", _l("Minutes that a slot is held"), _l("While a customer pays."))
    application_days = _whole(
        "application_days", _l("Days to answer an application"), _l("Applicants are told this target.")
    )
    invitation_days = _whole("invitation_days", _l("Days that an invitation is valid"), "")
    refund_hours = _whole("refund_hours", _l("Hours to ask for a refund"), _l("After the end of a session."))
    late_minutes = _whole(
        "late_minutes", _l("Minutes that an expert may be late"), _l("Later than that, the session is free.")
    )
    files_days = _whole(
        "files_days", _l("Days that files of a session are kept"), _l("Files and snapshots; then they are deleted.")
    )
    recording_days = _whole(
        "recording_days", _l("Days that recordings are kept"), _l("After the session; recordings made from now on.")
    )
    ring_seconds = _whole(
        "ring_seconds", _l("Seconds that a request rings"), _l("Help right now; after that the next expert is asked.")
    )
    line_grace_seconds = _whole(
        "line_grace_seconds",
        _l("Seconds that a place in the line is kept"),
        _l("For a customer who waits for help right now and whose connection is lost."),
    )
    rank_text = _whole("rank_text", _l("Weight of the words"), _l("Search results: where the words were found."))
    rank_rating = _whole(
        "rank_rating", _l("Weight of the rating"), _l("Search results: stars, and how many gave them.")
    )
    rank_soon = _whole("rank_soon", _l("Weight of being free soon"), _l("Search results: the next free time."))
    rank_reliability = _whole(
        "rank_reliability", _l("Weight of reliability"), _l("Search results: sessions kept, missed and called off.")
    )
    rank_fresh = _whole("rank_fresh", _l("Weight of freshness"), _l("Search results: how new the listing is."))
    rank_new = _whole(
        "rank_new", _l("Head start of new experts"), _l("Search results: until the fifth session, for 60 days at most.")
    )


def setting_name(key: str) -> str:
    """What the form calls a stored setting; the key itself when the form does not have it."""
    field = getattr(SiteForm, "fee" if key == "fee_bp" else key, None)
    return str(field.args[0]) if field is not None else key


class SiteView(Page):
    """``/console/site/``."""

    @expose("/")
    def index(self) -> str:
        """The settings as they are."""
        return self._page(self._form(current_db(), filled=True))

    @expose("/", methods=("POST",))
    def save(self) -> Answer:
        """Write what was changed: all of it or nothing, each with an entry in the audit log."""
        db = current_db()
        form = self._form(db, filled=False)
        if not form.validate():
            return self._page(form), 400
        chosen = ("state", "payment_backend", "video_transport", "storage", *NUMBERS)
        values = {key: getattr(form, key).data for key in chosen}
        values["fee_bp"] = int((form.fee.data or Decimal(0)) * 100)
        picked = {
            name.removeprefix(BY_CATEGORY): field.data
            for name, field in form._fields.items()
            if name.startswith(BY_CATEGORY)
        }
        chosen_before = site.get(db, "video_transports")  # a category that is off keeps its own
        values["video_transports"] = {slug: name for slug, name in {**chosen_before, **picked}.items() if name}
        try:
            for key, value in values.items():
                if value != site.get(db, key):
                    site.put(db, key, value, current_actor("operator"))
            db.commit()
        except HelpoutsError as error:
            db.rollback()
            attach(form, error)
            return self._page(form), 400
        return self.done(_("Saved."), ".index")

    def _page(self, form: FlaskForm) -> str:
        return self.render("console/site.html", form=form)

    def _form(self, db: Session, *, filled: bool) -> SiteForm:
        data: dict[str, Any] = {key: site.get(db, key) for key in site.DEFAULTS}
        data["fee"] = Decimal(data["fee_bp"]) / 100
        runtime = current_runtime()
        by_category = {
            f"{BY_CATEGORY}{slug}": SelectField(
                _("Video transport: %(category)s", category=in_language(category.name)), default=""
            )
            for slug, category in sorted(runtime.registry.categories(db).items())
        }
        data |= {f"{BY_CATEGORY}{slug}": name for slug, name in data["video_transports"].items()}
        kind = cast("type[SiteForm]", type("SiteForm", (SiteForm,), by_category))
        form = kind(formdata=None, data=data) if filled else kind()
        offered_transports = {*runtime.registry.video_transports(db), *data["video_transports"].values()}
        for name in by_category:
            form[name].choices = choices(
                [("", _("As the site")), *((known, known) for known in sorted(offered_transports))]
            )
        form.state.choices = choices(words.options(*site.SITE_STATES))
        for field, configured, offered in (
            (form.payment_backend, runtime.config.payment_backend, runtime.registry.payment_backends(db)),
            (form.video_transport, runtime.config.video_transport, runtime.registry.video_transports(db)),
            (form.storage, runtime.config.storage, {FOLDER.name: FOLDER, **runtime.registry.storage_backends(db)}),
        ):
            names = sorted({*offered, *([data[field.short_name]] if data[field.short_name] else [])})
            default = _("As configured: %(name)s", name=configured)
            field.choices = choices([("", default), *((name, name) for name in names)])
        return form
