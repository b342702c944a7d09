"""Keeps the processes of one machine running: starts them, restarts one that dies, stops all of them cleanly."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("helpouts.up")

#: Seconds that a process has to end after SIGTERM before it is killed.
PATIENCE = 10.0
#: A process that lived shorter than this is restarted with a growing delay.
SHORT_LIFE = 5.0
LONGEST_DELAY = 15.0


@dataclass
class Child:
    """One process that should be running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    start_at: float = field(default=0.0)


class Supervisor:
    """Runs the children until it is told to stop."""

    def __init__(self, commands: dict[str, Sequence[str]], environment: dict[str, str]) -> None:
        self.children = [Child(name, command) for name, command in commands.items()]
        self.environment = environment
        self.stopping = threading.Event()

    def run(self) -> None:
        """Block until SIGTERM, SIGINT or :attr:`stopping`; then stop the children, the last started first."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        try:
            while not self.stopping.is_set():
                for child in self.children:
                    self._look_after(child)
                self.stopping.wait(0.2)
        finally:
            self._stop()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                child.process = subprocess.Popen(child.command, env=self.environment, start_new_session=True)
                child.started = now
            return
        code = child.process.poll()
        if code is None:
            return
        _kill_group(child.process.pid)
        child.failures = child.failures + 1 if now - child.started < SHORT_LIFE else 0
        delay = min(LONGEST_DELAY, 0.5 * 2**child.failures) if child.failures else 0.0
        log.warning("process ended, starting it again", name=child.name, code=code, delay=delay)
        child.process, child.start_at = None, now + delay

    def _stop(self) -> None:
        running = [child.process for child in reversed(self.children) if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process did not end in time, killing it", pid=process.pid)
            _kill_group(process.pid)
            process.wait()


def _kill_group(leader: int) -> None:
    """Whatever a child has started itself (gunicorn's workers) goes with it, and frees its ports."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def helpouts_command(*arguments: str) -> list[str]:
    """The command line that runs this very installation."""
    return [sys.executable, "-m", "helpouts", *arguments]
