"""Several real live processes over one database, and pages that stay in their room as the browser's script does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.db import migrate
from helpouts.errors import HelpoutsError
from helpouts.runtime import Runtime, make_runtime
from helpouts.sessions import service
from helpouts.sessions.models import Session
from helpouts.sessions.tickets import issue_ticket
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing
from helpouts.testing.site import free_ports

#: Seconds between two attempts to come back, as in static/js/room/socket.js.
RETRY = (0.0, 0.25, 0.5, 1.0, 1.5)


class Cluster:
    """Live processes named n1, n2, …; :meth:`stop` ends what is left of them."""

    def __init__(self, folder: Path, database_url: str = "", **options: str) -> None:
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HELPOUTS_")},
            "HELPOUTS_DATA": str(folder / "data"),
            "HELPOUTS_DATABASE": database_url,
            **{f"HELPOUTS_{key.upper()}": value for key, value in options.items()},
        }
        self.runtime: Runtime = make_runtime(load_config(self.environment))
        migrate.upgrade(self.runtime.database, self.runtime.registry)
        self.log = (folder / "live.log").open("wb")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start processes and wait until they answer."""
        ports: dict[str, int] = {}
        for name in names:
            while (port := free_ports()) in ports.values():
                pass
            ports[name] = port
        for name, port in ports.items():
            environment = {**self.environment, "HELPOUTS_NODE": name, "HELPOUTS_LIVE_PORT": str(port)}
            command = [sys.executable, "-m", "helpouts", "live"]
            self.processes[name] = subprocess.Popen(command, env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        for name, port in ports.items():
            while not _answers(f"http://127.0.0.1:{port}/readyz"):
                assert time.monotonic() < deadline, f"{name} does not answer"
                time.sleep(0.05)

    def kill(self, name: str) -> None:
        """kill -9."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        """End all of them."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        self.runtime.database.dispose()
        self.log.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


class Page:
    """A room's page without a browser: it pings, resumes, and comes back by itself."""

    def __init__(self, runtime: Runtime, client: aiohttp.ClientSession, session: Session, user: User) -> None:
        self.runtime, self.client = runtime, client
        self.session_id, self.user_id = session.id, user.id
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        #: address, and everything that was heard, in order
        self.url = ""
        self.heard: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._after = 0
        self._media = self._lost = ""
        self._task = asyncio.create_task(self._stay())

    async def _ticket(self) -> tuple[str, str]:
        def issue() -> tuple[str, str]:
            with self.runtime.database.write() as db:
                session, user = db.get_one(Session, self.session_id), db.get_one(User, self.user_id)
                ticket = issue_ticket(db, session, user, self._lost)
                return ticket.url, ticket.token

        return await asyncio.to_thread(issue)

    async def _stay(self) -> None:
        tries = 0
        while True:
            with suppress(aiohttp.ClientError, HelpoutsError, OSError, TimeoutError):
                self.url, token = await self._ticket()
                async with self.client.ws_connect(self.url, timeout=aiohttp.ClientWSTimeout(ws_close=0.1)) as socket:
                    self.socket = socket
                    hello = {"type": "hello", "ticket": token, "after": self._after, "media": self._media}
                    await socket.send_json(hello)
                    pinging = asyncio.create_task(self._ping(socket))
                    try:
                        async for message in socket:
                            tries = 0
                            self._take(message.json())
                    finally:
                        pinging.cancel()
                if socket.close_code == 4002:
                    return
            self._lost = self.url
            await asyncio.sleep(RETRY[min(tries, len(RETRY) - 1)])
            tries += 1

    def _take(self, message: dict[str, Any]) -> None:
        self.heard.append(message)
        if message["type"] == "welcome":
            self._lost = ""
            if message.get("transport"):
                self._media = message["transport"]["id"]
        for line in message.get("chat", ()) if message["type"] == "welcome" else [message]:
            if "seq" in line:
                self._after = max(self._after, line["seq"])
                self.lines.append(line["body"])

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await asyncio.sleep(1)
            with suppress(ConnectionError):
                await socket.send_json({"type": "ping"})

    def count(self, kind: str) -> int:
        """How many messages of a kind were heard."""
        return sum(message["type"] == kind for message in self.heard)

    def newest(self, kind: str) -> dict[str, Any]:
        """The newest message of a kind; empty when none came."""
        return next((message for message in reversed(self.heard) if message["type"] == kind), {})

    async def say(self, **message: Any) -> None:
        """Send a message now."""
        assert self.socket is not None
        await self.socket.send_json(message)

    def cut(self) -> None:
        """Break the connection without a word."""
        assert self.socket is not None
        transport = self.socket._response.connection and self.socket._response.connection.transport
        if transport is not None:
            transport.abort()

    async def close(self) -> None:
        """The tab is closed: it says goodbye."""
        with suppress(ConnectionError, AssertionError):
            await self.say(type="leave")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def room(cluster: Cluster) -> Session:
    """A booking that begins now."""
    with cluster.runtime.database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        booking.starts_at, booking.ends_at = clock.now(), clock.now() + timedelta(minutes=30)
        db.flush()
        session = service.session_of(db, booking)
        assert session is not None
        return session
