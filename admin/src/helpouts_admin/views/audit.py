"""The audit log: who did what to what, why and when; and whether the chain is whole."""

from __future__ import annotations

import json
from typing import Any

from flask import flash, redirect, url_for
from markupsafe import Markup
from sqlalchemy import select

from helpouts import formatting
from helpouts.audit.models import AuditEntry
from helpouts.audit.service import first_broken
from helpouts.i18n import gettext as _
from helpouts.i18n import lazy_gettext as _l
from helpouts.web.db import current_db, current_runtime
from helpouts_admin import audit_words, columns, words
from helpouts_admin.filters import Choice, Options
from helpouts_admin.views.base import Answer, Records, expose
from helpouts_admin.views.site import setting_name


def _parts() -> Options:
    """The parts that have entries: what stands before the dot of an action."""
    actions = current_db().scalars(select(AuditEntry.action).distinct())
    parts = {action.partition(".")[0] for action in actions}
    return sorted(((part, audit_words.thing(part)) for part in parts), key=lambda pair: pair[1])


def _actor(view: Any, context: Any, record: AuditEntry, name: str) -> str:
    return words.known(record.actor)


def _action(view: Any, context: Any, record: AuditEntry, name: str) -> Markup:
    return columns.coded(audit_words.action(record.action), record.action)


def _subject(view: Any, context: Any, record: AuditEntry, name: str) -> str:
    return f"{audit_words.thing(record.subject_type)} {record.subject_id}".strip()


def _words(view: Any, context: Any, record: AuditEntry, name: str) -> str:
    said, names = dict(record.detail), {}
    if record.action == "site.set":
        if said.get("key") == "fee_bp":
            said |= {name: formatting.percent(said[name]) for name in ("before", "after") if said.get(name) is not None}
        said["key"] = setting_name(said.get("key", ""))
    if record.action == "plugin.settings":
        names = _setting_labels(said.get("plugin", ""))
    rows = (Markup('<span class="muted">{}:</span> {}').format(*pair) for pair in audit_words.detail(said, names))
    return Markup('<span class="records__details">{}</span>').format(Markup("<br>").join(rows)) if record.detail else ""


def _setting_labels(plugin: str) -> dict[str, object]:
    """What the plugin's page calls its settings; nothing where the plugin is gone."""
    registry = current_runtime().registry
    declared = registry.setting_declarations(plugin) if plugin in registry.plugins else {}
    return {key: setting.label for key, setting in declared.items()}


def _detail(view: Any, context: Any, record: AuditEntry, name: str) -> str:
    """As it is stored, for the file."""
    return json.dumps(record.detail, ensure_ascii=False, sort_keys=True) if record.detail else ""


class AuditView(Records):
    """Read-only, for administrators."""

    shows = AuditEntry
    endpoint_name = "console_audit"
    intro = _l("Every action of an operator. Entries are chained: one that is changed or removed later is found.")
    can_export = True
    tabs = False
    column_list = ("created_at", "actor", "action", "subject_type", "reason", "detail")
    column_details_list = (*column_list, "digest")
    column_export_list = (
        "created_at", "actor", "action", "subject_type", "subject_id", "reason", "detail", "digest",
    )  # fmt: skip
    column_searchable_list = ("actor", "action", "subject_type", "subject_id", "reason")
    column_default_sort = ("id", True)
    column_filters = (
        Choice(
            AuditEntry.action,
            _l("Part"),
            _parts,
            lambda part: AuditEntry.action.startswith(f"{part}.", autoescape=True),
        ),
    )
    column_labels = {
        "created_at": _l("When"),
        "actor": _l("Who"),
        "action": _l("Action"),
        "subject_type": _l("What"),
        "subject_id": _l("Number"),
        "reason": _l("Reason"),
        "detail": _l("Details"),
        "digest": _l("Link of the chain"),
    }
    column_formatters = {
        "created_at": columns.instant,
        "actor": _actor,
        "action": _action,
        "subject_type": _subject,
        "reason": columns.short(),
        "detail": _words,
    }
    column_formatters_detail = {name: shown for name, shown in column_formatters.items() if name != "reason"}
    column_formatters_export = {"detail": _detail}
    list_template = "console/audit.html"

    @expose("/check/", methods=("POST",))
    def check(self) -> Answer:
        """Go through the whole chain."""
        broken = first_broken(current_db())
        if broken is None:
            flash(_("The chain is whole: nothing was changed or removed."), "success")
        else:
            flash(_("The chain is broken at entry %(id)s: it, or one before it, was changed.", id=broken), "error")
        return redirect(url_for(".index_view"), 303)
