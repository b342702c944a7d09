"""``helpouts live``: serve rooms; and look after the processes that do."""

from __future__ import annotations

import json

import click
from sqlalchemy import select

from helpouts.cli.base import COMMAND_LINE, Runtime, pass_runtime
from helpouts.clock import clock
from helpouts.logs import set_up_logs
from helpouts.sessions import nodes
from helpouts.sessions.models import LiveNode


@click.group(invoke_without_command=True)
@click.pass_context
def live(ctx: click.Context) -> None:
    """Serve rooms: WebSockets and the media of server-side transports.  Its commands look after such processes."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(_serve)


@click.command()
@pass_runtime
def _serve(runtime: Runtime) -> None:
    from helpouts.live.server import serve

    set_up_logs("live")
    serve(runtime)


@live.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_runtime
def list_(runtime: Runtime, as_json: bool) -> None:
    """Name, address, rooms and state of every live process."""
    with runtime.database.read() as db:
        here = nodes.alive(db)
        rows = [_row(node, node.name in here) for node in db.scalars(select(LiveNode).order_by(LiveNode.name))]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['name']:24} {row['state']:9} {row['rooms']:4} rooms  {row['url']}")


def _row(node: LiveNode, alive: bool) -> dict[str, str | int]:
    state = "silent" if not alive else "draining" if node.draining else "alive"
    seconds = int((clock.now() - node.heartbeat_at).total_seconds())
    return {
        "name": node.name,
        "url": node.public_url,
        "rooms": node.rooms,
        "state": state,
        "heard_seconds_ago": seconds,
    }


@live.command()
@click.argument("node")
@click.option("--force", is_flag=True, help="Even when no other process would take new rooms.")
@pass_runtime
def drain(runtime: Runtime, node: str, force: bool) -> None:
    """Let NODE take no new rooms and end when the last of its calls is over, for an upgrade."""
    with runtime.database.write() as db:
        found = nodes.set_draining(db, node, True, COMMAND_LINE, even_the_last=force)
    click.echo(f"{found.name} takes no new rooms and ends when its calls are over ({found.rooms} now)")


@live.command()
@click.argument("node")
@pass_runtime
def keep(runtime: Runtime, node: str) -> None:
    """Call a drain off: NODE takes new rooms again."""
    with runtime.database.write() as db:
        nodes.set_draining(db, node, False, COMMAND_LINE)
    click.echo(f"{node} takes new rooms again")
