"""The command ``helpouts`` and its groups; every group is imported when it is used, so that help is quick."""

from __future__ import annotations

from importlib import import_module

import click

from helpouts.logs import log_to_stderr

#: Command: (module, attribute).
COMMANDS = {
    "up": ("helpouts.cli.up", "up"),
    "web": ("helpouts.cli.processes", "web"),
    "live": ("helpouts.cli.live", "live"),
    "worker": ("helpouts.cli.processes", "worker"),
    "db": ("helpouts.cli.database", "db"),
    "plugins": ("helpouts.cli.plugins", "plugins"),
    "ledger": ("helpouts.cli.ledger", "ledger"),
    "finding": ("helpouts.cli.finding", "finding"),
    "doctor": ("helpouts.cli.doctor", "doctor"),
    "user": ("helpouts.cli.user", "user"),
    "invite": ("helpouts.cli.invite", "invite"),
    "x": ("helpouts.cli.extra", "x"),
}


class LazyGroup(click.Group):
    """A group whose commands are modules that are imported at need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command's module and take it from there."""
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name]
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="helpouts")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Run and look after a Helpouts site.

    Options come from HELPOUTS_* variables and from the TOML file that HELPOUTS_CONFIG names.
    """
    ctx.ensure_object(dict)
    log_to_stderr()
