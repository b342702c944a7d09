"""The Janus API over a WebSocket (https://janus.conf.meetecho.com/docs/rest.html, "WebSockets Interface").

One session on one server; handles are attached to the VideoRoom plugin.  Requests carry a transaction; the answer is
``success`` or ``error`` at once, or ``ack`` and later an ``event`` with the same transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog

from helpouts.sessions import TransportError

Json = dict[str, Any]
OnEvent = Callable[[Json], Awaitable[None]]
log = structlog.get_logger("helpouts.video_janus")
PLUGIN = "janus.plugin.videoroom"
#: Seconds that an answer may take.
PATIENCE = 4.0
#: Seconds between two signs of life; Janus ends a session after 60 without one.
KEEP_ALIVE = 15.0


class Refused(TransportError):
    """The server answered with an error; ``code`` is Janus's or the plugin's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"Janus says {code}: {reason}")
        self.code = code


class Gone(TransportError):
    """The server cannot be reached, or has just been lost."""


class Handle:
    """One attachment to the VideoRoom plugin: a publisher, a subscriber, or the one that makes rooms."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self.number = server, number

    async def ask(self, body: Json, jsep: Json | None = None) -> tuple[Json, Json | None]:
        """Send a message to the plugin; (its answer, its session description if it has one).

        :raises Refused: the plugin said no.
        :raises Gone: there was no answer.
        """
        extra = {"jsep": jsep} if jsep else {}
        answer = await self._server.request({"janus": "message", "handle_id": self.number, "body": body, **extra})
        data = answer.get("plugindata", {}).get("data", {})
        if "error_code" in data:
            raise Refused(int(data["error_code"]), str(data.get("error", "")))
        return data, answer.get("jsep")

    async def trickle(self, candidate: Mapping[str, Any] | None) -> None:
        """Hand over a candidate of the browser, or that there are no more (None)."""
        said = dict(candidate) if candidate else {"completed": True}
        await self._server.say({"janus": "trickle", "handle_id": self.number, "candidate": said})

    async def detach(self) -> None:
        """Let it go; no error when the server is gone anyway."""
        self._server.forget(self.number)
        with contextlib.suppress(TransportError):
            await self._server.request({"janus": "detach", "handle_id": self.number})


class Server:
    """A session on one Janus server.  ``on_lost`` is called once when it ends without :meth:`close`."""

    def __init__(self, url: str, secret: str, on_lost: Callable[[Server], None]) -> None:
        self.url = url
        self.up = False
        self._secret, self._on_lost = secret, on_lost
        self._session = 0
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._listeners: dict[int, OnEvent] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._errands: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        """Open the session.

        :raises Gone: nobody answers there.
        :raises Refused: the secret is wrong.
        """
        self._http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(PATIENCE):
                self._socket = await self._http.ws_connect(self.url, protocols=["janus-protocol"], max_msg_size=2**20)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._http.close()
            raise Gone(f"{self.url}: {type(error).__name__}: {error}") from error
        self.up = True
        self._tasks = [asyncio.create_task(self._read())]
        try:
            self._session = int((await self.request({"janus": "create"}))["data"]["id"])
        except TransportError:
            await self.close()
            raise
        self._tasks.append(asyncio.create_task(self._stay()))

    async def attach(self, on_event: OnEvent | None = None) -> Handle:
        """A handle of the VideoRoom plugin; ``on_event`` hears what it says unasked."""
        answer = await self.request({"janus": "attach", "plugin": PLUGIN})
        handle = Handle(self, int(answer["data"]["id"]))
        if on_event is not None:
            self._listeners[handle.number] = on_event
        return handle

    def forget(self, number: int) -> None:
        """Nobody listens to this handle any more."""
        self._listeners.pop(number, None)

    async def request(self, message: Json) -> Json:
        """Send and wait for the answer.

        :raises Refused: an error came back.
        :raises Gone: no answer came in time, or the connection ended.
        """
        transaction = secrets.token_hex(8)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = answer
        try:
            await self.say(message, transaction)
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError as error:
            self._lose()
            raise Gone(f"{self.url} does not answer") from error
        finally:
            self._waiting.pop(transaction, None)

    async def say(self, message: Json, transaction: str = "") -> None:
        """Send without waiting.

        :raises Gone: the connection has ended.
        """
        if self._socket is None or not self.up:
            raise Gone(f"{self.url} is not connected")
        whole = {"transaction": transaction or secrets.token_hex(8), **message}
        if self._session:
            whole["session_id"] = self._session
        if self._secret:
            whole["apisecret"] = self._secret
        try:
            await self._socket.send_json(whole)
        except (ConnectionError, RuntimeError) as error:
            self._lose()
            raise Gone(f"{self.url}: {error}") from error

    async def close(self) -> None:
        """End the session and everything attached to it."""
        self.up = False
        tasks = [*self._tasks, *self._errands]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail()
        if self._socket is not None:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                async with asyncio.timeout(1):
                    await self._socket.close()
        if self._http is not None:
            await self._http.close()

    async def _read(self) -> None:
        assert self._socket is not None
        async for raw in self._socket:
            if raw.type is not aiohttp.WSMsgType.TEXT:
                break
            try:
                self._heard(json.loads(raw.data))
            except (ValueError, KeyError, TypeError, AttributeError):
                log.exception("a message of Janus could not be read", server=self.url)
        self._lose()

    def _heard(self, message: Json) -> None:
        kind, waiting = message.get("janus"), self._waiting.get(str(message.get("transaction", "")))
        if kind == "timeout":
            self._lose()
        elif waiting is not None and not waiting.done():
            if kind == "error":
                error = message.get("error", {})
                waiting.set_exception(Refused(int(error.get("code", 0)), str(error.get("reason", ""))))
            elif kind != "ack":
                waiting.set_result(message)
        elif message.get("sender") in self._listeners:
            # Not awaited: a listener asks the server, and the answer comes through here.
            task = asyncio.create_task(self._tell(self._listeners[message["sender"]], message))
            self._errands.add(task)
            task.add_done_callback(self._errands.discard)

    async def _tell(self, listener: OnEvent, message: Json) -> None:
        try:
            await listener(message)
        except TransportError as error:
            log.warning("what Janus said could not be followed", server=self.url, error=str(error))
        except Exception:
            log.exception("a message of Janus could not be worked on", server=self.url)

    async def _stay(self) -> None:
        while self.up:
            await asyncio.sleep(KEEP_ALIVE)
            with contextlib.suppress(TransportError):
                await self.say({"janus": "keepalive"})

    def _lose(self) -> None:
        if self.up:
            self.up = False
            self._fail()
            self._on_lost(self)

    def _fail(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Gone(f"{self.url} was lost"))
                answer.exception()  # nobody may be waiting any more
