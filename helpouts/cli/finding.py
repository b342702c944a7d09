"""``helpouts finding``: the index of the search."""

from __future__ import annotations

import click

import helpouts.jobs.catalogue  # noqa: F401  # whoever follows free time is registered with it
from helpouts.cli.base import Runtime, pass_runtime
from helpouts.finding import index


@click.group()
def finding() -> None:
    """The index that the search reads."""


@finding.command()
@pass_runtime
def rebuild(runtime: Runtime) -> None:
    """Make the index anew from all listings; the site goes on meanwhile."""
    with runtime.database.write() as db:
        rows = index.rebuild(db)
    runtime.database.dispose()
    click.echo(f"{rows} listing(s) can be found.")
