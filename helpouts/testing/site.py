"""A whole site for browser tests: real processes, a real SMTP server, a database of either kind."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import AsyncMessage

from helpouts.config import load_config
from helpouts.runtime import Runtime, make_runtime


class Mailbox(AsyncMessage):
    """Keeps every mail that the SMTP server takes."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> Any:
        """Parse with the modern policy."""
        return email.message_from_bytes(envelope.original_content, policy=email.policy.default)

    async def handle_message(self, message: Any) -> None:
        """Keep it."""
        self.mails.append(message)

    def wait_for(self, to: str, subject: str, seconds: float = 20) -> EmailMessage:
        """The newest mail to somebody whose subject contains a text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in reversed(self.mails):
                if mail["To"] == to and subject in mail["Subject"]:
                    return mail  # type: ignore[no-any-return]  # the SMTP library has no types
            time.sleep(0.1)
        seen = [(mail["To"], mail["Subject"]) for mail in self.mails]
        raise AssertionError(f"no mail to {to} about {subject!r}; there are {seen}")


def body_of(mail: EmailMessage) -> str:
    """The text of a mail."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def link_in(mail: EmailMessage, part: str) -> str:
    """The first link of a mail that contains a text."""
    return next(str(link) for link in re.findall(r"https?://\S+", body_of(mail)) if part in link)


def free_ports() -> int:
    """The first of two neighbouring free ports."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Site:
    """``helpouts up`` in a folder of its own.

    :param further: names of live processes beside that of ``helpouts up``, which nobody restarts; rooms go to the
        first in the alphabet.
    """

    def __init__(self, folder: Path, database_url: str = "", further: Sequence[str] = ()) -> None:
        self.mailbox = Mailbox()
        self.smtp = Controller(self.mailbox, hostname="127.0.0.1", port=free_ports())
        self.smtp.start()
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HELPOUTS_")},
            "HELPOUTS_DATA": str(folder / "data"),
            "HELPOUTS_DATABASE": database_url,
            "HELPOUTS_PORT": str(self.port),
            "HELPOUTS_PUBLIC_URL": self.url,
            "HELPOUTS_MAIL_HOST": "127.0.0.1",
            "HELPOUTS_MAIL_PORT": str(self.smtp.port),
            "HELPOUTS_WEB_WORKERS": "1",
            "HELPOUTS_LOGIN_RATE": "1000 per minute",
        }
        self.further: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = {name: free_ports() for name in further}
        origins = ",".join(f"http://127.0.0.1:{port}" for port in self._ports.values())
        self.environment["HELPOUTS_LIVE_ORIGINS"] = origins
        self.process: subprocess.Popen[bytes] | None = None
        self._runtime: Runtime | None = None
        self.log = (folder / "site.log").open("wb")

    def start(self, *arguments: str) -> None:
        """Start the three processes and wait until they serve."""
        command = [sys.executable, "-m", "helpouts", "up", *arguments]
        self.process = subprocess.Popen(command, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT)
        self.wait_until_ready(60)
        for name in self._ports:
            self.start_live(name)

    def start_live(self, name: str) -> None:
        """Start one of the further live processes, and wait until it serves."""
        port = self._ports[name]
        address = f"http://127.0.0.1:{port}"
        named = {"HELPOUTS_NODE": name, "HELPOUTS_LIVE_PORT": str(port), "HELPOUTS_LIVE_URL": address}
        command = [sys.executable, "-m", "helpouts", "live"]
        self.further[name] = subprocess.Popen(
            command, env=self.environment | named, stdout=self.log, stderr=subprocess.STDOUT
        )
        self._wait_for(f"{address}/readyz", 60)

    def kill_live(self, name: str) -> None:
        """kill -9 of one of them."""
        process = self.further.pop(name)
        process.kill()
        process.wait()

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until web and live answer."""
        for url in (f"{self.url}/readyz", f"http://127.0.0.1:{self.port + 1}/readyz"):
            self._wait_for(url, seconds)

    def _wait_for(self, url: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{url} does not answer; log: {self.log_text()[-3000:]}") from None
                time.sleep(0.1)

    def run(self, *arguments: str) -> str:
        """Run a command of the site to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "helpouts", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runtime(self) -> Runtime:
        """The site's database and plugins from the test's own process; closed by :meth:`stop`."""
        if self._runtime is None:
            self._runtime = make_runtime(load_config(self.environment))
        return self._runtime

    def plugins(self) -> dict[str, str]:
        """Name to state, as the command line tells it."""
        return {row["name"]: row["state"] for row in json.loads(self.run("plugins", "list", "--json"))}

    def children(self, kind: str) -> list[int]:
        """Process ids of one kind of process (web, live, worker), the supervisor's direct children."""
        assert self.process is not None, "start the site first"
        found = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=True
        )
        return [int(line.split()[0]) for line in found.stdout.splitlines() if line.endswith(f"helpouts {kind}")]

    def kill(self, kind: str) -> None:
        """kill -9 a kind of process; the supervisor starts it again."""
        for pid in self.children(kind):
            os.kill(pid, signal.SIGKILL)

    def log_text(self) -> str:
        """What the processes have logged."""
        self.log.flush()
        return (self.folder / "site.log").read_text(errors="replace")

    def stop(self) -> None:
        """Stop everything cleanly."""
        for process in self.further.values():
            process.terminate()
            assert process.wait(30) in (0, -signal.SIGTERM), self.log_text()[-3000:]
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(30) == 0, self.log_text()[-3000:]
        if self._runtime is not None:
            self._runtime.database.dispose()
        self.smtp.stop()
        self.log.close()


@contextmanager
def serving(folder: Path, *arguments: str, database_url: str = "", further: Sequence[str] = ()) -> Iterator[Site]:
    """A :class:`Site` that runs for the length of the block; ``arguments`` go to ``helpouts up``."""
    made = Site(folder, database_url, further)
    try:
        made.start(*arguments)
        yield made
    finally:
        made.stop()
