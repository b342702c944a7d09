"""The live process's server: the room's WebSocket, the routes of plugins, health for machines."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from aiohttp import WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError
from prometheus_client import CONTENT_TYPE_LATEST

from helpouts.clock import clock
from helpouts.errors import HelpoutsError, TooFast
from helpouts.i18n import lazy_gettext as _l
from helpouts.live import check, desk, draining, entrance, limits, messages, protocol
from helpouts.live import tools as tools  # the tools of the room register their messages
from helpouts.live.metrics import of_process
from helpouts.live.node import Node
from helpouts.live.rooms import MAX_BACKLOG, Connection, Room
from helpouts.plugins.records import LiveRoute
from helpouts.runtime import Runtime

log = structlog.get_logger("helpouts.live")
NODE: web.AppKey[Node] = web.AppKey("node", Node)
#: How long a browser may take to agree that a socket is closed.
CLOSE_SECONDS = 2
MAX_MESSAGE = 64 * 1024
_TOO_FAST = _l("That was too much at once. Wait a moment, then try again.")
#: What strangers do who speak no HTTP, or hang up in the middle.
_THEIRS = (HttpProcessingError, RequestPayloadError, ConnectionError)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(runtime: Runtime) -> web.Application:
    """The aiohttp application of one live process."""
    app = web.Application(middlewares=[_cross_origin], client_max_size=256 * 1024)
    app[NODE] = Node(runtime)
    app.router.add_get("/ws", websocket)
    app.router.add_get("/ws/desk", desk_socket)
    app.router.add_post("/check", network_check)
    app.router.add_post("/check/echo", check.echo)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    for plugin, route in runtime.registry.surface("helpouts_live_routes", LiveRoute):
        app.router.add_route(route.method, f"/x/{plugin}{route.path}", _guarded(plugin, route.handler))
    app.on_startup.append(lambda a: a[NODE].start())
    app.on_shutdown.append(lambda a: a[NODE].say_goodbye())
    app.on_cleanup.append(lambda a: a[NODE].release())
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
    response: web.StreamResponse
    try:
        response = web.Response(status=204) if request.method == "OPTIONS" else await handler(request)
    except web.HTTPException as refusal:  # a script may read why it was refused, too
        response = web.Response(status=refusal.status, text=refusal.text, headers=refusal.headers)
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


async def metrics(request: web.Request) -> web.Response:
    """Counters of this process and of its transports; keep it from the public in the reverse proxy."""
    return web.Response(body=of_process(request.app[NODE]), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """A browser's way into a room: hello with a ticket, then messages until one side goes."""
    node = request.app[NODE]
    socket = web.WebSocketResponse(
        timeout=CLOSE_SECONDS, max_msg_size=MAX_MESSAGE, writer_limit=MAX_BACKLOG, compress=False
    )
    await socket.prepare(request)
    entered = await _let_in(node, socket)
    if entered is None:
        return socket
    room, connection = entered
    bucket = limits.Bucket()
    try:
        async for raw in socket:
            if raw.type is not WSMsgType.TEXT:
                break
            connection.heard_at = clock.now()
            if not bucket.may_speak():
                if bucket.refused > limits.MOST_REFUSED:
                    node.spawn(connection.hang_up(1008, b"too many messages"))
                    break
                if bucket.to_be_told:
                    await connection.send(protocol.refusal(TooFast(_TOO_FAST), connection.locale))
                continue
            connection.busy = True
            await _one(node, room, connection, raw.data)
            connection.busy = False
    finally:
        await node.finish(protocol.drop(node, room, connection, connection.heard_at))
    return socket


async def desk_socket(request: web.Request) -> web.WebSocketResponse:
    """A device of somebody who is available, or who waits for help right now (:mod:`helpouts.live.desk`)."""
    return await desk.serve(request.app[NODE], request)


async def network_check(request: web.Request) -> web.Response:
    """Before joining (:mod:`helpouts.live.check`)."""
    return await check.check(request.app[NODE], request)


async def _let_in(node: Node, socket: web.WebSocketResponse) -> tuple[Room, Connection] | None:
    """None (and the socket closed) when there is no way in."""
    with node.door.knock() as room_for_one_more:
        said = await entrance.hello(socket) if room_for_one_more else None
    if not room_for_one_more:
        await socket.close(code=1013, message=b"too many at the door")
        return None
    if said is None:
        await socket.close(code=1008, message=b"say hello first")
        return None
    try:
        return await entrance.enter(node, socket, said)
    except HelpoutsError as error:
        await socket.send_json(protocol.refusal(error))
        await socket.close(code=1008, message=b"refused")
    except Exception:
        log.exception("somebody could not enter")
        await socket.close(code=1011, message=b"failed")
    return None


async def _one(node: Node, room: Room, connection: Connection, raw: str) -> None:
    """One message; whatever goes wrong with it, the connection stays."""
    try:
        message = json.loads(raw)
        if isinstance(message, dict):
            await messages.handle(node, room, connection, message)
    except HelpoutsError as error:
        await connection.send(protocol.refusal(error, connection.locale))
    except (ValueError, RecursionError):  # numbers of ten thousand digits, too
        await connection.send({"type": "error", "code": "invalid", "message": "not JSON"})
    except Exception:
        log.exception("a message could not be worked on", room=room.id)
        failed = HelpoutsError(_l("That did not work. Please try again."))
        await connection.send(protocol.refusal(failed, connection.locale))


async def _mind_signals(app: web.Application) -> None:
    """SIGTERM drains first, if the configuration says so; the second one ends the process at once."""
    node, loop = app[NODE], asyncio.get_running_loop()

    def end() -> None:
        raise web.GracefulExit

    def stop() -> None:
        if node.draining or not node.runtime.config.drain_on_stop:
            end()
        node.errand(draining.begin(node))

    node.end_process = partial(loop.call_soon, end)
    loop.add_signal_handler(signal.SIGTERM, stop)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether something went wrong here, and not there: strangers could fill the log with tracebacks."""
    return not (record.exc_info and isinstance(record.exc_info[1], _THEIRS))


async def _warm_up(app: web.Application) -> None:
    app[NODE].errand(app[NODE].warm_up())


def serve(runtime: Runtime) -> None:
    """Run until SIGTERM or SIGINT, or until it is drained."""
    try:
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    config = runtime.config
    app = make_app(runtime)
    app.on_startup.append(_mind_signals)
    app.on_startup.append(_warm_up)
    web.run_app(
        app,
        host=config.host,
        port=config.actual_live_port,
        loop=loop,
        print=None,
        access_log=None,
        shutdown_timeout=3,
    )
