"""A real coturn on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpouts.testing.plugin import require

SECRET = "north-by-northwest"


@dataclass(frozen=True)
class Turn:
    """A running TURN server; ``log`` is what it has written."""

    url: str
    log_file: Path
    secret: str = SECRET

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: int) -> bool:
    """Whether a STUN binding request (RFC 8489 section 5) is answered."""
    request = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"helpouts-tst"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.3)
        try:
            probe.sendto(request, ("127.0.0.1", port))
            return probe.recv(2048)[8:20] == b"helpouts-tst"
        except OSError:
            return False


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    """coturn with the shared secret :data:`SECRET`."""
    program = shutil.which("turnserver")
    if program is None:
        require("coturn", "apt-get install coturn")
        raise AssertionError("unreachable")
    folder, port = tmp_path_factory.mktemp("coturn"), _free_port()
    log = folder / "turn.log"
    command = [
        program, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}",
        "--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=helpouts.test", "--no-cli", "--no-tls",
        "--no-dtls", "--allow-loopback-peers", "--min-port=49152", "--max-port=49999", "--verbose",
        f"--userdb={folder / 'turn.db'}", f"--pidfile={folder / 'turn.pid'}", "--log-file=stdout", "--simple-log",
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder)
        try:
            end = time.monotonic() + 15
            while not _answers(port):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < end, "coturn does not answer"
            yield Turn(f"turn:127.0.0.1:{port}", log)
        finally:
            process.terminate()
            process.wait(10)
