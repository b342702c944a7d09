"""``helpouts x PLUGIN COMMAND``: the commands that plugins bring (``helpouts_cli_commands``)."""

from __future__ import annotations

from typing import Any

import click

from helpouts.cli.plugins import enabled_names
from helpouts.config import load_config
from helpouts.errors import HelpoutsError
from helpouts.plugins.records import CliCommand
from helpouts.runtime import Runtime, make_runtime


class PluginCommands(click.Group):
    """One group for each loaded and enabled plugin that has commands; ``ctx.obj`` of a command is the runtime."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the plugins that have commands."""
        return sorted(self._groups(ctx))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The commands of one plugin."""
        return self._groups(ctx).get(name)

    def _groups(self, ctx: click.Context) -> dict[str, click.Group]:
        runtime = _runtime(ctx)
        enabled = enabled_names(runtime)
        groups: dict[str, click.Group] = {}
        for plugin, record in runtime.registry.surface("helpouts_cli_commands", CliCommand):
            if plugin in enabled:
                group = groups.setdefault(plugin, click.Group(plugin, help=f"Commands of the plugin {plugin}."))
                group.add_command(record.command)
        return groups


def _runtime(ctx: click.Context) -> Runtime:
    if not isinstance(ctx.obj, Runtime):
        overrides: dict[str, Any] = ctx.obj or {}
        try:
            ctx.obj = make_runtime(load_config(**overrides))
        except HelpoutsError as error:
            raise click.ClickException(str(error)) from error
    runtime: Runtime = ctx.obj
    return runtime


@click.group(cls=PluginCommands)
def x() -> None:
    """Commands of plugins: helpouts x PLUGIN COMMAND."""
