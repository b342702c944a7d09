"""Plugins: what is installed, what each offers, on or off, settings, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, redirect, request, url_for
from sqlalchemy import func, select
from wtforms.form import BaseForm

from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts.i18n import in_language, ngettext
from helpouts.plugins.models import PluginFailure, PluginSettingRow
from helpouts.plugins.service import set_enabled, write_settings
from helpouts.registry import Plugin
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import current_actor
from helpouts_admin import services, settings_form
from helpouts_admin.views.base import PLUGIN, Answer, Page, expose

SHOWN_FAILURES = 20


def offers(plugin: Plugin) -> list[str]:
    """What a plugin brings, in words."""
    kept = plugin.records
    named = [
        *(_("Category: %(name)s", name=in_language(record.name)) for record in kept.get("helpouts_categories", ())),
        *(_("Payment: %(name)s", name=record.name) for record in kept.get("helpouts_payment_backends", ())),
        *(_("Vetting rule: %(name)s", name=record.title) for record in kept.get("helpouts_vetting_rules", ())),
        *(_("Video: %(name)s", name=record.name) for record in kept.get("helpouts_video_transports", ())),
    ]
    counted: dict[str, Callable[[int], str]] = {
        "helpouts_settings": lambda n: ngettext("%(n)s setting", "%(n)s settings", n),
        "helpouts_blueprints": lambda n: _("pages"),
        "helpouts_admin_views": lambda n: ngettext("%(n)s console page", "%(n)s console pages", n),
        "helpouts_cli_commands": lambda n: ngettext("%(n)s command", "%(n)s commands", n),
        "helpouts_health_checks": lambda n: ngettext("%(n)s health check", "%(n)s health checks", n),
        "helpouts_jobs": lambda n: ngettext("%(n)s job", "%(n)s jobs", n),
        "helpouts_live_routes": lambda n: _("live routes"),
        "helpouts_migrations": lambda n: _("own tables"),
        "helpouts_user_data": lambda n: _("personal data"),
    }
    return named + [say(len(kept[hook])) for hook, say in counted.items() if kept.get(hook)]


class PluginsView(Page):
    """``/console/plugins/``."""

    @expose("/")
    def index(self) -> str:
        """All installed plugins, also those that could not be loaded."""
        db, registry = current_db(), current_runtime().registry
        failures = dict(db.execute(select(PluginFailure.plugin, func.count()).group_by(PluginFailure.plugin)).all())
        return self.render(
            "console/plugins.html",
            plugins=sorted(registry.plugins.items(), key=lambda item: (not item[1].error, item[0])),
            enabled=registry.enabled(db),
            failures=failures,
            offers=offers,
            own=PLUGIN,
        )

    @expose("/<name>/")
    def plugin(self, name: str) -> Answer:
        """One plugin with its settings."""
        return self._page(name)

    @expose("/<name>/switch/", methods=("POST",))
    def switch(self, name: str) -> Answer:
        """Enable or disable it; every process obeys at its next use."""
        enabled = request.form.get("enabled") == "1"
        if name == PLUGIN:
            raise HelpoutsError(
                _("The console cannot switch itself off. Use the command line: helpouts plugins disable console")
            )
        db = current_db()
        set_enabled(db, name, enabled, current_actor("operator"))
        db.commit()
        message = _("“%(name)s” is on.", name=name) if enabled else _("“%(name)s” is off.", name=name)
        if request.form.get("back") == "list":
            return self.done(message, ".index")
        return self.done(message, ".plugin", name=name)

    @expose("/<name>/settings/", methods=("POST",))
    def settings(self, name: str) -> Answer:
        """Write the settings: all, or none when one is wrong."""
        self._find(name)
        db = current_db()
        declared = current_runtime().registry.setting_declarations(name)
        now = settings_form.stored(db, name, declared)
        form = settings_form.build(declared, now, request.form)
        wanted, fine = settings_form.changes(form, declared, now, request.form)
        if not fine:
            return self._page(name, form), 400
        try:
            if wanted:
                write_settings(db, name, wanted, current_actor("operator"))
                db.commit()
        except HelpoutsError as error:
            db.rollback()
            return self._page(name, form, str(error)), 400
        return self.done(_("Saved.") if wanted else _("Nothing was changed."), ".plugin", name=name)

    @expose("/<name>/clear/", methods=("POST",))
    def clear(self, name: str) -> Answer:
        """Forget the failures that somebody has looked at."""
        self._find(name)
        db = current_db()
        services.clear_failures(db, name, current_actor("operator"))
        db.commit()
        return redirect(url_for(".plugin", name=name), 303)

    def _find(self, name: str) -> Plugin:
        plugin = current_runtime().registry.plugins.get(name)
        if plugin is None:
            abort(404)
        return plugin

    def _page(self, name: str, form: BaseForm | None = None, refused: str = "") -> str:
        plugin = self._find(name)
        db, registry = current_db(), current_runtime().registry
        declared = registry.setting_declarations(name)
        now = settings_form.stored(db, name, declared)
        latest = select(PluginFailure).where(PluginFailure.plugin == name).order_by(PluginFailure.id.desc())
        return self.render(
            "console/plugin.html",
            plugin=plugin,
            name=name,
            enabled=name in registry.enabled(db),
            offers=offers(plugin),
            own=PLUGIN,
            form=form or settings_form.build(declared, now),
            declared=declared,
            secrets=now.secrets,
            refused=refused,
            failures=list(db.scalars(latest.limit(SHOWN_FAILURES))),
            leftover=_leftover(db, name, declared),
        )


def _leftover(db: Any, name: str, declared: Any) -> list[str]:
    """Keys that are stored but not declared any more."""
    keys = db.scalars(select(PluginSettingRow.key).where(PluginSettingRow.plugin == name))
    return sorted(key for key in keys if key not in declared)
