"""Settings of the site itself that operators change in the console while it runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins.models import SiteSetting
from helpouts.plugins.switches import forget_switches, switches

#: "prelaunch": only the front page and the form for experts; "invitation_only": experts and invited people may
#: sign up and look around; "open": everybody.
SITE_STATES = ("prelaunch", "invitation_only", "open")

DEFAULTS: dict[str, Any] = {
    "state": "open",
    "fee_bp": 2000,
    "hold_minutes": 15,
    "application_days": 5,
    "invitation_days": 14,
    "refund_hours": 72,
    "late_minutes": 5,
    "files_days": 90,
    "reminder_minutes": [1440, 60],
    "recording_days": 30,
    "ring_seconds": 60,
    "line_grace_seconds": 120,
    "rank_text": 100,
    "rank_rating": 40,
    "rank_soon": 25,
    "rank_reliability": 20,
    "rank_fresh": 10,
    "rank_new": 15,
    "video_transport": "",
    "video_transports": {},  # by category, where it is not the site's
    "storage": "",
    "payment_backend": "",
}


def get(db: Session, key: str) -> Any:
    """The value of a site setting, or its default.

    :raises KeyError: for an unknown key.
    """
    default = DEFAULTS[key]
    return switches(db).settings.get(key, default)


def put(db: Session, key: str, value: Any, actor: Actor) -> None:
    """Change a site setting and audit it.

    :raises HelpoutsError: for an unknown key or a value that does not fit.
    """
    if key not in DEFAULTS:
        raise HelpoutsError(_l("There is no such setting."))
    if type(value) is not type(DEFAULTS[key]):
        raise HelpoutsError(_l("This value is not of the right kind."), field=key)
    if key == "state" and value not in SITE_STATES:
        raise HelpoutsError(_l("Choose one of the states of the site."), field=key)
    if key == "fee_bp" and not 0 <= value <= 10_000:
        raise HelpoutsError(_l("The fee lies between 0 and 100 percent."), field=key)
    if key == "video_transports" and not all(isinstance(name, str) and name for name in value.values()):
        raise HelpoutsError(_l("This value is not of the right kind."), field=key)
    if key.startswith("rank_") and not 0 <= value <= 1000:
        raise HelpoutsError(_l("A weight lies between 0 and 1000."), field=key)
    row = db.get(SiteSetting, key)
    before = DEFAULTS[key] if row is None else row.value
    if row is None:
        db.add(SiteSetting(key=key, value=value))
    else:
        row.value, row.changed_at = value, clock.now()
    db.flush()
    forget_switches(db)
    record(db, actor, "site.set", reason="", key=key, before=before, after=value)
