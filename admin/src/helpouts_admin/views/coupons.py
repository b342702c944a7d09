"""Coupons of the experts, and who has used them; an operator can stop one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.coupons import making
from helpouts.coupons.models import Coupon
from helpouts.coupons.uses import uses_of
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts_admin import columns, history, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.views.base import Records

#: Uses that a coupon's page shows.
SHOWN = 100


def _stop(db: Session, coupon: Coupon, form: Any, actor: Actor) -> None:
    making.stop(db, coupon, form.reason.data, actor)


def _allow(db: Session, coupon: Coupon, form: Any, actor: Actor) -> None:
    making.allow(db, coupon, form.reason.data, actor)


ACTIONS = (
    Action(
        "stop",
        _l("Stop the coupon"),
        _stop,
        when=lambda coupon: coupon.state in ("active", "paused"),
        danger=True,
        explain=_l("Nobody can use it any more; bookings that have it keep their price. Its expert sees it."),
        done=_l("Stopped."),
    ),
    Action(
        "allow",
        _l("Allow the coupon again"),
        _allow,
        when=lambda coupon: coupon.state == "stopped",
        done=_l("Allowed again."),
    ),
)


def _used(view: Any, context: Any, record: Coupon, name: str) -> str:
    return f"{record.used} / {record.most_uses}" if record.most_uses else str(record.used)


def _for(view: Any, context: Any, record: Coupon, name: str) -> str:
    return record.listing.title if record.listing else _("All sessions")


class CouponsView(Records):
    """All coupons, newest first."""

    shows = Coupon
    endpoint_name = "console_coupons"
    column_list = ("code", "expert", "off_label", "used", "last_day_label", "state", "created_at")
    column_details_list = (
        *("code", "expert", "listing", "off_label", "used", "last_day_label"),
        *("once_each", "newcomers_only", "created_at"),
    )
    column_searchable_list = ("code", "expert.name")
    column_sortable_list = ("code", "created_at")
    column_default_sort = ("id", True)
    column_filters = (Choice(Coupon.state, _l("State"), lambda: words.options("active", "paused", "stopped")),)
    column_labels = {
        "code": _l("Code"),
        "expert": _l("Expert"),
        "listing": _l("Session"),
        "off_label": _l("Takes off"),
        "used": _l("Uses"),
        "last_day_label": _l("Valid until"),
        "once_each": _l("Once for each customer"),
        "newcomers_only": _l("For first bookings only"),
        "state": _l("State"),
        "created_at": _l("Made"),
    }
    column_formatters = {
        "expert": columns.called("expert.name"),
        "listing": _for,
        "used": _used,
        "once_each": columns.yes_no,
        "newcomers_only": columns.yes_no,
        "state": columns.state,
        "created_at": columns.instant,
    }
    column_formatters_detail = dict(column_formatters)
    details_template = "console/coupon.html"

    def title_of(self, record: Coupon) -> str:
        """The code."""
        return record.code

    def actions(self, record: Coupon) -> Sequence[Action]:
        """Stop it, or allow it again."""
        return ACTIONS

    def context(self, db: Session, record: Coupon) -> dict[str, Any]:
        """The bookings that it made cheaper, and what became of it."""
        return {"uses": uses_of(db, record, SHOWN), "history": history.transitions(db, "coupon", record.id)}
