"""``helpouts plugins``: what is installed, and switching it on and off."""

from __future__ import annotations

import json

import click
from sqlalchemy import inspect

from helpouts.cli.base import COMMAND_LINE, Runtime, pass_runtime
from helpouts.plugins.models import PluginFlag
from helpouts.plugins.service import set_enabled


@click.group()
def plugins() -> None:
    """List, enable and disable plugins."""


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
