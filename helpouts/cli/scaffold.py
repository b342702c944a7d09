"""Writing the skeleton of a plugin: a distribution that works, with its conformance test."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from helpouts.errors import HelpoutsError

#: Family: first part of the plugin's name.
FAMILIES = {"category": "category", "payment_backend": "payments", "vetting_rule": "vetting"}


def write_skeleton(family: str, name: str, into: Path) -> Path:
    """Write the distribution of a new plugin below ``into``; returns its folder.

    :param family: a key of :data:`FAMILIES`; ``name``: what the record is called, e.g. "music".
    :raises HelpoutsError: for a name that does not do, or when the folder is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,29}", name):
        raise HelpoutsError(f"{name!r} is not a name: 2 to 30 lower case letters, digits and _, a letter first")
    plugin = f"{FAMILIES[family]}_{name}"
    distribution, package = f"helpouts-{plugin.replace('_', '-')}", f"helpouts_{plugin}"
    title = name.replace("_", " ").capitalize()
    values = {"name": name, "plugin": plugin, "distribution": distribution, "package": package, "title": title}
    values["class_name"] = f"{title.title().replace(' ', '')}Backend"
    folder = into / distribution
    if folder.exists():
        raise HelpoutsError(f"{folder} is there already: choose another name or folder")
    skeletons = files("helpouts.cli") / "skeletons"
    for root in (skeletons / "common", skeletons / family):
        for relative, source in _walk(root):
            target = folder / _place(relative, package, plugin)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(source.read_text("utf-8")).substitute(values), "utf-8")
    (folder / "src" / package / "py.typed").touch()
    return folder


def _walk(root: Traversable, prefix: str = "") -> list[tuple[str, Traversable]]:
    found = []
    for entry in sorted(root.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".in"):
            found.append((f"{prefix}{entry.name.removesuffix('.in')}", entry))
    return found


def _place(relative: str, package: str, plugin: str) -> str:
    if relative == "plugin.py":
        return f"src/{package}/__init__.py"
    if relative == "test_plugin.py":
        return f"tests/test_{plugin}.py"
    return relative if "/" not in relative else f"src/{package}/{relative}"
