"""``helpouts db``: tables."""

from __future__ import annotations

import sys

import click

from helpouts.cli.base import Runtime, pass_runtime
from helpouts.db import migrate


@click.group()
def db() -> None:
    """Bring the database's tables up to date and check them."""


@db.command()
@pass_runtime
def upgrade(runtime: Runtime) -> None:
    """Run the outstanding migrations of the core and of every plugin."""
    moved = migrate.upgrade(runtime.database, runtime.registry)
    click.echo("upgraded: " + ", ".join(moved) if moved else "the database is up to date")


@db.command()
@pass_runtime
def check(runtime: Runtime) -> None:
    """Exit with 1 when migrations are outstanding or tables differ from what the code expects."""
    found = [f"migrations outstanding: {name}" for name in migrate.pending(runtime.database, runtime.registry)]
    found = found or migrate.drift(runtime.database, runtime.registry)
    for line in found:
        click.echo(line)
    if found:
        sys.exit(1)
    click.echo("the database is as it should be")
