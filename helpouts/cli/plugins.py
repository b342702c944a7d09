"""``helpouts plugins``: what is installed, and switching it on and off."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from sqlalchemy import inspect

from helpouts.cli.base import COMMAND_LINE, Runtime, pass_runtime
from helpouts.cli.scaffold import FAMILIES, write_skeleton
from helpouts.errors import HelpoutsError
from helpouts.plugins.checklist import check
from helpouts.plugins.models import PluginFlag
from helpouts.plugins.service import set_enabled


@click.group()
def plugins() -> None:
    """List, enable, disable, begin and check plugins."""


@plugins.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@pass_runtime
def list_(runtime: Runtime, as_json: bool) -> None:
    """Name, state, distribution and version of every plugin, with its error if it has one."""
    enabled = enabled_names(runtime)
    rows = [
        {
            "name": name,
            "state": "failed" if not plugin.loaded else "enabled" if name in enabled else "disabled",
            "distribution": plugin.distribution,
            "version": plugin.version,
            "error": plugin.error,
        }
        for name, plugin in sorted(runtime.registry.plugins.items())
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']:24} {row['state']:9} {row['distribution']} {row['version']}")
        if row["error"]:
            click.echo(f"{'':24} {row['error']}")


@plugins.command()
@click.argument("name")
@pass_runtime
def enable(runtime: Runtime, name: str) -> None:
    """Enable a plugin; all processes obey at once."""
    _switch(runtime, name, True)


@plugins.command()
@click.argument("name")
@pass_runtime
def disable(runtime: Runtime, name: str) -> None:
    """Disable a plugin; all processes obey at once."""
    _switch(runtime, name, False)


@plugins.command()
@click.argument("family", type=click.Choice(sorted(FAMILIES)))
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), default=".", help="Folder that gets the new distribution.")
def new(family: str, name: str, into: Path) -> None:
    """Write a plugin that works, with its conformance test: NAME is what its record is called."""
    try:
        folder = write_skeleton(family, name, into)
    except HelpoutsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"written: {folder}")
    click.echo(f"try it:  pip install -e {folder} && pytest {folder}")


@plugins.command(name="check")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def check_command(path: Path, as_json: bool) -> None:
    """Go through the quality checklist for the sources of a plugin; exit with 1 when something must be mended."""
    found = check(path.resolve())
    if as_json:
        click.echo(
            json.dumps([{"severity": p.severity, "text": str(p.text), "fix": str(p.fix)} for p in found], indent=2)
        )
    else:
        for problem in found:
            click.echo(f"{problem.severity}: {problem.text}\n    fix: {problem.fix}")
        click.echo("nothing to mend" if not found else f"{len(found)} finding(s)")
    if any(problem.severity == "error" for problem in found):
        sys.exit(1)


def enabled_names(runtime: Runtime) -> frozenset[str]:
    """The enabled plugins; before the first ``helpouts db upgrade``, all that are loaded."""
    with runtime.database.read() as db:
        if inspect(db.connection()).has_table(PluginFlag.__tablename__):
            return runtime.registry.enabled(db)
    return frozenset(name for name, plugin in runtime.registry.plugins.items() if plugin.loaded)


def _switch(runtime: Runtime, name: str, on: bool) -> None:
    with runtime.database.write() as db:
        set_enabled(db, name, on, COMMAND_LINE)
    click.echo(f"{name} is {'enabled' if on else 'disabled'}")
