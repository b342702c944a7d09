"""Pages and files of plugins: below ``/x/{plugin}/``, gone while it is disabled, never without a permission."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, abort, request, send_from_directory

from helpouts.plugins.records import PluginBlueprint
from helpouts.runtime import Runtime
from helpouts.web.db import current_db, current_runtime
from helpouts.web.permissions import Level, declare


def init_app(app: Flask) -> None:
    """Mount every plugin's blueprint, then let the add-ons bring their applications."""
    runtime: Runtime = app.extensions["helpouts"]
    registry = runtime.registry
    owners: dict[str, str] = {}
    app.extensions["helpouts_blueprint_owners"] = owners
    for name, record in registry.surface("helpouts_blueprints", PluginBlueprint):
        level: Level = record.permission  # type: ignore[assignment]  # checked by declared(): unknown levels let nobody in
        try:
            app.register_blueprint(record.blueprint, url_prefix=f"/x/{name}")
        except Exception as error:
            registry.plugins[name].fail("its pages cannot be mounted", error)
            continue
        declare(app, record.blueprint.name, level)
        owners[record.blueprint.name] = name
    app.add_url_rule("/x/<plugin>/static/<path:path>", "plugin.static", plugin_file)
    registry.bring_apps(app)


def plugin_file(plugin: str, path: str) -> Response:
    """A file below the ``static`` folder of a plugin's package; gone while the plugin is disabled."""
    registry = current_runtime().registry
    if plugin not in registry.enabled(current_db()):
        abort(404)
    folder = Path(registry.plugins[plugin].module.__file__).parent / "static"
    return send_from_directory(folder, path)


def hide_disabled(app: Flask) -> None:
    """404 for the pages of a plugin that is disabled at this moment."""
    blueprint = (request.endpoint or "").rpartition(".")[0]
    owner = app.extensions["helpouts_blueprint_owners"].get(blueprint)
    if owner is not None and owner not in current_runtime().registry.enabled(current_db()):
        abort(404)
