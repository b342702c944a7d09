"""Distributions that are installed only in a test's folder: a dist-info, entry points and a module each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEAD = "from helpouts.hookspecs import hookimpl\n"
CATEGORY = HEAD + (
    "from helpouts.catalog import Category, Subcategory\n"
    "@hookimpl\n"
    "def helpouts_categories():\n"
    "    return (Category({slug!r}, {{'en': 'Music', 'de': 'Musik'}}, {{'en': 'Play', 'de': 'Spielen'}}, 'info',\n"
    "        (Subcategory('guitar', {{'en': 'Guitar', 'de': 'Gitarre'}}),)),)\n"
)


def category(slug: str) -> str:
    """The source of a plugin with one category."""
    return CATEGORY.format(slug=slug)


def raising(hook: str) -> str:
    """The source of a plugin that raises in a hook."""
    return HEAD + f"@hookimpl\ndef {hook}():\n    raise ZeroDivisionError('no records today')\n"


def tables(*names: str) -> str:
    """The source of a plugin with tables of these names."""
    made = "".join(f"Table({name!r}, metadata, Column('id', Integer, primary_key=True))\n" for name in names)
    return HEAD + (
        "from sqlalchemy import Column, Integer, MetaData, Table\n"
        "from helpouts.plugins import Migrations\n"
        f"metadata = MetaData()\n{made}"
        "@hookimpl\ndef helpouts_migrations():\n    return (Migrations(metadata, __file__.rpartition('/')[0]),)\n"
    )


@dataclass(frozen=True)
class Site:
    """A folder that is on the path like site-packages."""

    folder: Path

    def install(self, plugin: str, source: str, version: str = "1.0", distribution: str = "", author: str = "") -> str:
        """Install a distribution with one plugin; returns the distribution's name."""
        name = distribution or f"fake-{plugin.replace('_', '-')}"
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(source)
        self.info(name, f"[helpouts]\n{plugin} = {module}\n", version, author)
        return name

    def info(self, name: str, entry_points: str, version: str = "1.0", author: str = "") -> Path:
        """Write only the dist-info."""
        folder = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        lines = [
            "Metadata-Version: 2.1",
            f"Name: {name}",
            f"Version: {version}",
            *([f"Author: {author}"] if author else []),
        ]
        (folder / "METADATA").write_text("\n".join(lines) + "\n")
        (folder / "entry_points.txt").write_text(entry_points)
        return folder
