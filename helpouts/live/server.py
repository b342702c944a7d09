"""The live process's server: the room's WebSocket, the routes of plugins, health for machines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import WSMsgType, web
from prometheus_client import generate_latest
from sqlalchemy.orm import Session as DbSession

from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import use_locale
from helpouts.live import protocol
from helpouts.live.node import Node
from helpouts.live.rooms import MAX_BACKLOG, Connection, Room
from helpouts.plugins.records import LiveRoute
from helpouts.runtime import Runtime
from helpouts.sessions import chat, service
from helpouts.sessions.tickets import redeem_ticket
from helpouts.sessions.transport import MediaRoom

log = structlog.get_logger("helpouts.live")
NODE: web.AppKey[Node] = web.AppKey("node", Node)
HELLO_SECONDS = 10
MAX_MESSAGE = 64 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(runtime: Runtime) -> web.Application:
    """The aiohttp application of one live process."""
    app = web.Application(middlewares=[_cross_origin], client_max_size=256 * 1024)
    app[NODE] = Node(runtime)
    app.router.add_get("/ws", websocket)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    for plugin, route in runtime.registry.surface("helpouts_live_routes", LiveRoute):
        app.router.add_route(route.method, f"/x/{plugin}{route.path}", _guarded(plugin, route.handler))
    app.on_startup.append(lambda a: a[NODE].start())
    app.on_shutdown.append(lambda a: a[NODE].stop())
    return app


def _guarded(plugin: str, handler: Handler) -> Handler:
    """Not found while the plugin is disabled."""

    async def run(request: web.Request) -> web.StreamResponse:
        node = request.app[NODE]
        if plugin not in await node.read(node.runtime.registry.enabled):
            raise web.HTTPNotFound
        return await handler(request)

    return run


@web.middleware
async def _cross_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The pages come from the site's own origin; nobody else's scripts may call here (WHATWG Fetch, CORS)."""
    site = str(request.app[NODE].runtime.config.public_url).rstrip("/")
    origin = request.headers.get("Origin")
    if origin is not None and origin != site:
        raise web.HTTPForbidden(text="this origin is not the site's")
    response = web.Response(status=204) if request.method == "OPTIONS" else await handler(request)
    if origin is not None and not response.prepared:
        response.headers["Access-Control-Allow-Origin"] = site
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PATCH, DELETE"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-Match"
        response.headers["Access-Control-Expose-Headers"] = "Location, ETag, Retry-After"
        response.headers["Access-Control-Max-Age"] = "600"
        response.headers["Vary"] = "Origin"
    return response


async def healthz(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """The database answers."""
    await request.app[NODE].read(lambda db: db.connection())
    return web.json_response({"status": "ready"})


async def metrics(_request: web.Request) -> web.Response:
    """Counters of this process."""
    return web.Response(body=generate_latest(), content_type="text/plain")


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """A browser's way into a room: hello with a ticket, then messages until one side goes."""
    node = request.app[NODE]
    socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, writer_limit=MAX_BACKLOG, compress=False)
    await socket.prepare(request)
    entered = await _hello(node, socket)
    if entered is None:
        return socket
    room, connection = entered
    try:
        async for raw in socket:
            if raw.type is not WSMsgType.TEXT:
                break
            connection.heard_at = clock.now()
            await _one(node, room, connection, raw.data)
    finally:
        await protocol.drop(node, room, connection, connection.heard_at)
    return socket


async def _one(node: Node, room: Room, connection: Connection, raw: str) -> None:
    try:
        message = json.loads(raw)
        if isinstance(message, dict):
            await protocol.handle(node, room, connection, message)
    except HelpoutsError as error:
        await connection.send(protocol.refusal(error))
    except ValueError:
        await connection.send({"type": "error", "code": "invalid", "message": "not JSON"})


async def _hello(node: Node, socket: web.WebSocketResponse) -> tuple[Room, Connection] | None:
    """Redeem the ticket of the first message; None (and the socket closed) when there is no way in."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            first = await socket.receive()
            hello = json.loads(first.data) if first.type is WSMsgType.TEXT else {}
        token, after = str(hello["ticket"]), int(hello.get("after", 0))
        device = str(hello.get("device", ""))
    except (TimeoutError, ValueError, KeyError, TypeError, AttributeError):
        await socket.close(code=1008, message=b"say hello first")
        return None
    try:
        return await _enter(node, socket, token, after, device)
    except HelpoutsError as error:
        await socket.send_json(protocol.refusal(error))
        await socket.close(code=1008, message=b"refused")
        return None


async def _enter(
    node: Node, socket: web.WebSocketResponse, token: str, after: int, device: str
) -> tuple[Room, Connection]:
    def redeem(db: DbSession) -> dict[str, Any]:
        session, user = redeem_ticket(db, token, node.name)
        with use_locale(user.locale):
            presence = service.join(db, session, user.id, node.name, device)
        booking = session.booking
        return {
            "session": session.id,
            "room": session.room_id,
            "transport": session.transport,
            "host": booking.host_id,
            "customer": booking.customer_id,
            "user": user.id,
            "name": user.name,
            "presence": presence.id,
            "chat": chat.since(db, session.id, after),
        }

    found = await node.write(redeem)
    room = await _room(node, found)
    connection = Connection(socket, found["user"], found["name"], found["presence"], clock.now())
    earlier = room.connections.get(connection.user_id)
    room.connections[connection.user_id] = connection
    if earlier is not None:
        await node.write(lambda db: service.leave(db, earlier.presence_id, earlier.heard_at))
        await earlier.socket.close(code=protocol.REPLACED, message=b"opened in another window")
    node.rooms.by_id[room.id] = room
    granted = await protocol.grant(room, connection)
    other = room.other(connection.user_id)
    await connection.send(
        {
            "type": "welcome",
            "you": connection.user_id,
            "chat": found["chat"],
            "peer": {"present": other is not None, "state": other.state if other else {}},
            **granted,
        }
    )
    await protocol.announce(node, room)
    return room, connection


async def _room(node: Node, found: dict[str, Any]) -> Room:
    async with node.rooms.opening(found["room"]):
        room = node.rooms.by_id.get(found["room"])
        if room is None:
            driver = await node.driver(found["transport"])
            plugin = node.runtime.registry.plugin_of("helpouts_video_transports", found["transport"])
            transport = node.runtime.registry.video_transport(found["transport"])
            room = Room(
                id=found["room"],
                session_id=found["session"],
                host_id=found["host"],
                customer_id=found["customer"],
                media=MediaRoom(found["room"], await driver.open_room(found["room"])),
                driver=driver,
                module=f"/x/{plugin}/{transport.module}",
                transport=found["transport"],
            )
            node.rooms.by_id[room.id] = room
        return room


def serve(runtime: Runtime) -> None:
    """Run until SIGTERM or SIGINT."""
    try:
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    config = runtime.config
    web.run_app(
        make_app(runtime),
        host=config.host,
        port=config.actual_live_port,
        loop=loop,
        print=None,
        access_log=None,
        shutdown_timeout=3,
    )
