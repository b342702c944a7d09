"""``helpouts up``: everything on one machine."""

from __future__ import annotations

import os
from typing import Any

import click

from helpouts.cli.supervisor import Supervisor, helpouts_command
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.errors import HelpoutsError
from helpouts.logs import set_up_logs
from helpouts.runtime import make_runtime


@click.command()
@click.option("--demo", is_flag=True, help="Fill an empty site with believable content and print who to sign in as.")
@click.option("--data", help="Folder for everything that is kept.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port of the site; the live process takes the next one.")
def up(demo: bool, data: str | None, host: str | None, port: int | None) -> None:
    """Bring the tables up to date and run web, live and worker until SIGTERM or Ctrl-C."""
    overrides: dict[str, Any] = {
        key: value for key, value in {"data": data, "host": host, "port": port}.items() if value is not None
    }
    if demo:
        overrides["demo"] = True
    set_up_logs("up")
    try:
        config = load_config(**overrides)
        if (host or port) and "HELPOUTS_PUBLIC_URL" not in os.environ:
            shown = "127.0.0.1" if config.host in ("0.0.0.0", "::") else config.host  # noqa: S104  # compared, not bound
            overrides["public_url"] = f"http://{shown}:{config.port}"
            config = config.replace(**overrides)
        runtime = make_runtime(config)
        migrate.upgrade(runtime.database, runtime.registry)
        if demo:
            from helpouts.demo.seed import print_credentials, seed

            print_credentials(seed(runtime), config.public_url)
        runtime.database.dispose()
    except HelpoutsError as error:
        raise click.ClickException(str(error)) from error
    environment = dict(os.environ)
    environment.update({f"HELPOUTS_{key.upper()}": _as_text(value) for key, value in overrides.items()})
    click.echo(f"{config.site_name} is at {config.public_url} (stop with Ctrl-C)")
    Supervisor({name: helpouts_command(name) for name in ("worker", "live", "web")}, environment).run()


def _as_text(value: Any) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else str(value)
