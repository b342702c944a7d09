"""A live process in the test's own, and browsers that are sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.live.node import Node
from helpouts.live.server import NODE, make_app
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.sessions.models import LiveNode, Presence, Session
from helpouts.sessions.tickets import issue_ticket
from helpouts.testing import dummy_transport
from helpouts.testing.dummy_transport import DummyDriver
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

PATIENCE = 20


async def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for something to be true; what it is."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):
            await asyncio.sleep(0.02)
    return found


@pytest.fixture
def site(runtime: Runtime, registry_factory: Callable[[], Registry]) -> Runtime:
    """A site whose transport is the dummy."""
    registry = registry_factory()
    registry.add("video_dummy", lambda: dummy_transport)
    assert registry.plugins["video_dummy"].error == ""
    config = runtime.config.replace(video_transport="dummy", node="n1")
    return Runtime(config, runtime.database, registry)


@pytest.fixture(autouse=True)
def failures() -> Any:
    """What the dummy raises, by the name of the call."""
    yield dummy_transport.failures
    dummy_transport.failures.clear()


@dataclass
class Browser:
    """One WebSocket; everything it hears is kept."""

    socket: ClientWebSocketResponse
    heard: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def live(self, *, pinging: bool = True) -> Browser:
        """Begin to listen, and to ping as the page does."""
        self._tasks = [asyncio.create_task(self._listen())]
        if pinging:
            self._tasks.append(asyncio.create_task(self._ping()))
        return self

    async def _listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                self.heard.append(message.json())
        self.code = self.socket.close_code

    async def _ping(self) -> None:
        while not self.socket.closed:
            await self.say(type="ping")
            await asyncio.sleep(0.5)

    async def say(self, **message: Any) -> None:
        """Send a message; one that finds the socket closed is lost, as in life."""
        try:
            await self.socket.send_json(message)
        except ConnectionError:
            return

    def all(self, kind: str) -> list[dict[str, Any]]:
        """What was heard of a kind."""
        return [message for message in self.heard if message["type"] == kind]

    async def hear(self, kind: str, /, **values: Any) -> dict[str, Any]:
        """The newest message of a kind with these values, waited for."""

        def find() -> dict[str, Any] | None:
            found = (m for m in reversed(self.all(kind)) if values.items() <= m.items())
            return next(found, None)

        try:
            return await until(find)
        except TimeoutError:
            raise AssertionError(f"never heard {kind} {values}; code {self.code}, heard {self.heard}") from None

    async def closed(self) -> int:
        """The code that the socket was closed with."""
        await until(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    async def vanish(self) -> None:
        """The machine loses its power: the connection breaks without a word."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        transport = self.socket._response.connection and self.socket._response.connection.transport
        if transport is not None:
            transport.abort()

    def silent(self) -> None:
        """The browser hangs: the connection stands, and nothing comes."""
        self._tasks[1].cancel()


@dataclass
class Place:
    """A running live process."""

    site: Runtime
    client: TestClient[Any, Any]
    browsers: list[Browser] = field(default_factory=list)

    @property
    def node(self) -> Node:
        """The state of the process."""
        found: Node = self.client.app[NODE]  # type: ignore[union-attr]  # there is one
        return found

    @property
    def driver(self) -> DummyDriver:
        """The dummy, once somebody has entered."""
        found = self.node.drivers["dummy"]
        assert isinstance(found, DummyDriver)
        return found

    def ticket(self, session: Session, user: User) -> str:
        """A ticket as the web process gives it."""
        with self.site.database.write() as db:
            return issue_ticket(db, db.get_one(Session, session.id), db.get_one(User, user.id)).token

    async def connect(self, **hello: Any) -> Browser:
        """A socket that says hello, unless nothing is given."""
        browser = Browser(await self.client.ws_connect("/ws", max_msg_size=0))
        self.browsers.append(browser)
        if hello:
            await browser.say(type="hello", **hello)
        return browser

    async def enter(self, session: Session, user: User, *, pinging: bool = True, **hello: Any) -> Browser:
        """Through the door, and welcome."""
        ticket = await asyncio.to_thread(self.ticket, session, user)
        browser = (await self.connect(ticket=ticket, **{"after": 0, **hello})).live(pinging=pinging)
        await browser.hear("welcome", you=user.id)
        return browser

    async def node_is_heard_of(self) -> None:
        """After a jump of the clock: until the process has said again that it is there."""

        def at() -> Any:
            with self.site.database.read() as db:
                return db.scalar(select(LiveNode.heartbeat_at)) == clock.now()

        await until(at)

    def presences(self, session: Session, user: User | None = None) -> list[Presence]:
        """The rows in the order of their coming."""
        with self.site.database.read() as db:
            query = select(Presence).where(Presence.session_id == session.id).order_by(Presence.id)
            rows = db.scalars(query).all()
            db.expunge_all()
        return [row for row in rows if user is None or row.user_id == user.id]


@pytest.fixture
def live(site: Runtime) -> Callable[[], Any]:
    """``async with live() as place``: a live process, stopped at the end."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Place]:
        async with TestClient(TestServer(make_app(site))) as client:
            place = Place(site, client)
            yield place
            for browser in place.browsers:
                await browser.vanish()

    return run


@dataclass
class Pair:
    """A confirmed booking, its room and its two people."""

    session: Session
    expert: User
    customer: User

    @property
    def booking(self) -> Booking:
        """As it was made."""
        return self.session.booking


@pytest.fixture
def make_pair(site: Runtime) -> Callable[..., Pair]:
    """Makes bookings that begin so many seconds from now (before now, unless told otherwise)."""

    def make(begins_in: float = -60, **values: Any) -> Pair:
        with site.database.write() as db:
            listing = make_listing(db, make_expert(db), **values)
            booking = make_booking(db, listing, make_customer(db))
            length = booking.ends_at - booking.starts_at
            booking.starts_at = clock.now() + timedelta(seconds=begins_in)
            booking.ends_at = booking.starts_at + length
            db.flush()
            session = db.scalars(select(Session).where(Session.booking_id == booking.id)).one()
            return Pair(session, booking.host, booking.customer)

    return make


@pytest.fixture
def pair(make_pair: Callable[..., Pair]) -> Pair:
    """A booking that has just begun."""
    return make_pair()


@pytest.fixture
def token() -> str:
    """A token that nobody has issued."""
    return secrets.token_urlsafe(32)
