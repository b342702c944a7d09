"""Real Janus servers on loopback."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpouts.testing.plugin import require

SECRET, KEY = "open-sesame", "make-rooms"


@dataclass
class Janus:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path
    api_secret: str = SECRET
    admin_key: str = KEY

    @property
    def log(self) -> str:
        """What it has written."""
        return self.log_file.read_text(errors="replace")

    def kill(self) -> None:
        """As a crash does it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _modules() -> Path:
    found = next(iter(sorted(Path("/usr/lib").glob("*/janus/plugins/libjanus_videoroom.so"))), None)
    assert found is not None, "Janus has no VideoRoom plugin"
    return found.parent.parent


def _others(folder: Path, wanted: str) -> str:
    """All modules of a folder but one, as Janus wants to be told what to leave out."""
    return ",".join(sorted(path.name for path in folder.glob("*.so") if wanted not in path.name))


def start(folder: Path) -> Janus:
    """A server with its own folder, secret and key."""
    program = shutil.which("janus")
    if program is None:
        require("Janus", "apt-get install janus")
        raise AssertionError("unreachable")
    folder.mkdir()
    port, modules = _free_port(), _modules()
    (folder / "janus.jcfg").write_text(
        f"""general: {{
  configs_folder = "{folder}"
  plugins_folder = "{modules}/plugins"
  transports_folder = "{modules}/transports"
  events_folder = "{folder}"
  loggers_folder = "{folder}"
  debug_level = 4
  api_secret = "{SECRET}"
}}
plugins: {{ disable = "{_others(modules / "plugins", "videoroom")}" }}
transports: {{ disable = "{_others(modules / "transports", "websockets")}" }}
nat: {{ ice_lite = true }}
media: {{ ipv6 = false }}
"""
    )
    (folder / "janus.transport.websockets.jcfg").write_text(
        f'general: {{ json = "compact", ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}\n'
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text(f'general: {{ admin_key = "{KEY}" }}\n')
    log = folder / "janus.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, "-F", str(folder), "--disable-colors"], stdout=out, stderr=subprocess.STDOUT, cwd=folder
        )
    end = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.3):
            return Janus(f"ws://127.0.0.1:{port}", process, log)
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < end, "Janus does not answer"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def janus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Janus]:
    """A server for a module of tests."""
    server = start(tmp_path_factory.mktemp("janus") / "server")
    yield server
    server.kill()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Janus]]:
    """Two servers that a test may kill."""
    servers = [start(tmp_path / name) for name in ("first", "second")]
    yield servers
    for server in servers:
        server.kill()
