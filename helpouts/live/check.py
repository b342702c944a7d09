"""The device check: what a browser needs to try the network before it joins, and a server that answers it.

``POST /check`` with a ticket as bearer uses the ticket up and answers ``{"transport": {name, module, config}}``, config
null where the transport has no check of its own.  ``POST /check/echo`` sends back what it gets, at most
:data:`ECHO_BYTES`: the page takes from it how long the way to this process is, and how wide.
"""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web
from sqlalchemy.orm import Session as DbSession

from helpouts.errors import HelpoutsError
from helpouts.live import protocol
from helpouts.live.media import PATIENCE, module_of
from helpouts.live.node import Node
from helpouts.sessions.choosing import transport_name
from helpouts.sessions.tickets import redeem_ticket
from helpouts.sessions.transport import CheckingDriver, Json

log = structlog.get_logger("helpouts.live")
ECHO_BYTES = 128 * 1024


async def check(node: Node, request: web.Request) -> web.Response:
    """What the module of the session's transport needs for its check; nobody has entered."""
    _scheme, _space, token = request.headers.get("Authorization", "").partition(" ")

    def redeem(db: DbSession) -> str:
        session, _user = redeem_ticket(db, protocol.plain(token.strip()), node.name)
        return session.transport or transport_name(db, session.booking.category)

    try:
        transport = await node.write(redeem)
    except HelpoutsError as error:
        return web.json_response(protocol.refusal(error), status=error.status)
    found = {"name": transport, "module": module_of(node, transport), "config": await _config(node, transport)}
    return web.json_response({"transport": found})


async def _config(node: Node, transport: str) -> Json | None:
    try:
        async with asyncio.timeout(PATIENCE):
            driver = await node.driver(transport)
            return await driver.check() if isinstance(driver, CheckingDriver) else None
    except Exception as error:
        # Whatever is wrong with the transport: the page measures what it can, and joining will tell.
        log.warning("a network cannot be checked", transport=transport, error=str(error))
        return None


async def echo(request: web.Request) -> web.Response:
    """The body, as it came."""
    if (request.content_length or 0) > ECHO_BYTES:
        raise web.HTTPRequestEntityTooLarge(ECHO_BYTES, request.content_length or 0)
    return web.Response(body=await request.read(), headers={"Cache-Control": "no-store"})
