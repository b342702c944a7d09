"""The servers under test: started fresh for each measurement, and what they have used."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

JANUS = {"janus": "videocall", "room": "videoroom"}
PYTHON = {"ours": "relay_server", "stock": "stock_server"}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Subject:
    """A running server."""

    name: str
    url: str
    pid: int

    def cpu(self) -> float:
        """Processor seconds so far, user and system, of all threads (/proc, in nanoseconds where it has them)."""
        total = 0.0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
            except OSError:
                fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
                return (int(fields[11]) + int(fields[12])) / TICKS
        return total

    def megabytes(self) -> float:
        """Resident memory."""
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def _process(command: list[str], folder: Path, ready: Callable[[str], str]) -> Iterator[tuple[str, int]]:
    """(what ``ready`` returned, process id): called with what the process has printed until it returns something."""
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    end = time.monotonic() + 20
    try:
        while not (found := ready(log.read_text(errors="replace"))):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield found, process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def _python(name: str, module: str, folder: Path, host: str) -> Iterator[Subject]:
    command = [sys.executable, "-m", f"benchmarks.media.{module}", host]

    def address(said: str) -> str:
        return next((line for line in said.splitlines() if line.startswith("http://")), "")

    with _process(command, folder, address) as (url, pid):
        yield Subject(name, url, pid)


@contextmanager
def _janus(name: str, folder: Path, host: str, plugin: str) -> Iterator[Subject]:
    program = shutil.which("janus")
    modules = next(iter(Path("/usr/lib").glob("*/janus")), None)
    if program is None or modules is None:
        raise RuntimeError("Janus is missing: apt-get install janus")
    with socket.socket() as probe:
        probe.bind((host, 0))
        port = probe.getsockname()[1]
    off = {
        kind: ",".join(sorted(path.name for path in (modules / kind).glob("*.so") if wanted not in path.name))
        for kind, wanted in (("plugins", plugin), ("transports", "websockets"))
    }
    (folder / "janus.jcfg").write_text(
        f"""general: {{ configs_folder = "{folder}" plugins_folder = "{modules}/plugins"
  transports_folder = "{modules}/transports" events_folder = "{folder}" loggers_folder = "{folder}" debug_level = 2 }}
plugins: {{ disable = "{off["plugins"]}" }}
transports: {{ disable = "{off["transports"]}" }}
nat: {{ ice_lite = true }}
media: {{ ipv6 = false }}
"""
    )
    (folder / "janus.transport.websockets.jcfg").write_text(
        f'general: {{ json = "compact", ws = true, ws_port = {port}, ws_ip = "{host}", wss = false }}\n'
    )

    def listens(_said: str) -> str:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 0.3):
            return f"ws://{host}:{port}"
        return ""

    with _process([program, "-F", str(folder), "-i", host, "--disable-colors"], folder, listens) as (url, pid):
        yield Subject(name, url, pid)


@contextmanager
def running(name: str, folder: Path, host: str) -> Iterator[Subject]:
    """Start ``ours``, ``janus`` (its VideoCall), ``room`` (its VideoRoom) or ``stock``."""
    folder.mkdir(parents=True, exist_ok=True)
    if name in JANUS:
        with _janus(name, folder, host, JANUS[name]) as subject:
            yield subject
    else:
        with _python(name, PYTHON[name], folder, host) as subject:
            yield subject
