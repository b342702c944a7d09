"""The quality checklist of a plugin's sources, for ``helpouts plugins check PATH``."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from helpouts.plugins.records import PluginBlueprint, Problem, Setting
from helpouts.registry import GROUP, Registry
from helpouts.web.permissions import Level


def check(folder: Path) -> list[Problem]:
    """What is wrong with the distribution in ``folder``; empty when nothing is.  Imports the plugin."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, tomllib.TOMLDecodeError) as error:
        return [Problem("error", f"pyproject.toml cannot be read: {error}", "write one with a [project] table")]
    entries: dict[str, str] = project.get("entry-points", {}).get(GROUP, {})
    found = list(_metadata(project, entries))
    readme = folder / "README.md"
    text = readme.read_text("utf-8") if readme.is_file() else ""
    if not text:
        found.append(Problem("error", "there is no README.md", "say what the plugin does and list its settings"))
    if not list((folder / "tests").glob("test_*.py")):
        found.append(Problem("error", "there are no tests", "subclass the conformance suite of helpouts.testing"))
    if (folder / "src").is_dir():
        sys.path.insert(0, str(folder / "src"))
    for plugin, module in entries.items():
        found += _plugin(folder, plugin, module, text)
    return found


def _metadata(project: dict[str, Any], entries: dict[str, str]) -> Iterator[Problem]:
    if not entries:
        yield Problem("error", f"there is no entry point in the group {GROUP!r}", "add [project.entry-points.helpouts]")
    for plugin in entries:
        if not (plugin.isidentifier() and plugin == plugin.lower()):
            yield Problem("error", f"{plugin!r} cannot begin the names of tables", "use lower case letters, digits, _")
    needs = [text for text in project.get("dependencies", []) if text.partition("=")[0].strip(" <>~!") == "helpouts"]
    if not needs:
        yield Problem("error", "the dependency on helpouts is missing", 'add "helpouts>=0.1,<0.2"')
    elif "<" not in needs[0]:
        yield Problem("warning", "the dependency on helpouts has no upper bound", 'write "helpouts>=0.1,<0.2"')
    if "version" not in project and "version" not in project.get("dynamic", ()):
        yield Problem("error", "the version is missing", "add one to [project]")


def _plugin(folder: Path, plugin: str, module: str, readme: str) -> Iterator[Problem]:
    registry = Registry()
    loaded = registry.add(plugin, lambda: import_module(module), folder.name)
    if not loaded.loaded:
        yield Problem("error", f"{plugin}: {loaded.error}", loaded.traceback)
        return
    for _, setting in registry.surface("helpouts_settings", Setting):
        if f"`{setting.key}`" not in readme:
            yield Problem("warning", f"README.md does not name the setting `{setting.key}`", "add a row to its table")
    for _, pages in registry.surface("helpouts_blueprints", PluginBlueprint):
        if pages.permission not in get_args(Level):
            known = ", ".join(get_args(Level))
            yield Problem("error", f"the permission {pages.permission!r} lets nobody in", f"choose one of {known}")
    package = Path(str(loaded.module.__file__)).parent
    for template in sorted((package / "templates").rglob("*.html")):
        if not template.relative_to(package / "templates").as_posix().startswith(f"{package.name}/"):
            name = template.relative_to(package)
            yield Problem("error", f"{name} may clash with others", f"move it below templates/{package.name}/")
