"""Pages that plugins bring to the console (``helpouts_admin_views``)."""

from __future__ import annotations

from flask import Flask, abort, url_for
from markupsafe import Markup

from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins.records import AdminView
from helpouts.plugins.service import note_failure
from helpouts.runtime import Runtime
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import Level, permitted
from helpouts_admin.views.base import Answer, Page, expose, log, trace

_Found = tuple[str, AdminView]


class MoreView(Page):
    """``/console/more/PLUGIN/NAME/``: there while the plugin is enabled, for those who hold the permission."""

    def __init__(self, app: Flask) -> None:
        runtime: Runtime = app.extensions["helpouts"]
        self._some = any(True for _record in runtime.registry.surface("helpouts_admin_views", AdminView))
        super().__init__(_l("More"), _l("Plugins’ pages"), "console_more", "more")

    def is_visible(self) -> bool:
        """In the menu only when a plugin brings something."""
        return self._some and bool(self._pages())

    @expose("/")
    def index(self) -> str:
        """All pages of plugins that this person may open."""
        pages = [
            (url_for(".page", plugin=plugin, name=record.name), str(record.title), str(record.category), plugin)
            for plugin, record in self._pages()
        ]
        return self.render("console/more.html", pages=pages)

    @expose("/<plugin>/<name>/")
    def page(self, plugin: str, name: str) -> Answer:
        """One page.  Markup that the plugin returns is shown as it is, any other text is escaped."""
        found = next((record for owner, record in self._all() if owner == plugin and record.name == name), None)
        if found is None:
            abort(404)
        if not self._allowed(found):
            abort(403)
        try:
            body = found.render(current_db())
        except Exception as error:
            log.error("console page of a plugin failed", plugin=plugin, page=name, trace=trace(error))
            with current_runtime().database.write() as db:
                note_failure(db, plugin, f"console page {name}", error)
            body = ""
        return self.render(
            "console/more_page.html",
            title=str(found.title),
            content=body if isinstance(body, Markup) else Markup.escape(body),
            plugin=plugin,
        )

    @staticmethod
    def _all() -> list[_Found]:
        registry = current_runtime().registry
        enabled = registry.enabled(current_db())
        return [
            (plugin, record)
            for plugin, record in registry.surface("helpouts_admin_views", AdminView)
            if plugin in enabled
        ]

    def _pages(self) -> list[_Found]:
        return [(plugin, record) for plugin, record in self._all() if self._allowed(record)]

    @staticmethod
    def _allowed(record: AdminView) -> bool:
        level: Level = record.permission  # type: ignore[assignment]  # an unknown level lets nobody in
        return permitted((level,)) and level not in ("public", "signed_in", "expert")
