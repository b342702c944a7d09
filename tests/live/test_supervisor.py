"""What ``helpouts up`` does with processes that die, and with what they leave behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from helpouts.cli import supervisor
from helpouts.cli.supervisor import Supervisor


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition, seconds: float = 10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never true"
        time.sleep(0.02)


@pytest.fixture
def family(tmp_path):
    """A supervisor of one shell that has a child of its own; the child's pid is in a file."""
    note = tmp_path / "pid"
    shell = f"trap : TERM; sleep 1000 & echo $! > {note}.new; mv {note}.new {note}; while :; do wait; done"
    made = Supervisor({"shell": ["sh", "-c", shell]}, dict(os.environ))
    made._look_after(made.children[0])
    until(note.exists)
    yield made, note
    made._stop()


def test_what_a_killed_process_leaves_behind_goes_too_and_it_is_started_again(family):
    made, note = family
    child, orphan = made.children[0], int(note.read_text())
    first = child.process.pid
    os.kill(first, signal.SIGKILL)

    def is_back():
        made._look_after(child)
        return child.process is not None and child.process.pid != first

    until(is_back)
    until(lambda: not alive(orphan))


def test_a_process_that_does_not_want_to_end_is_killed_with_its_children(family, monkeypatch):
    monkeypatch.setattr(supervisor, "PATIENCE", 0.3)
    made, note = family
    grandchild, child = int(note.read_text()), made.children[0].process
    made._stop()
    assert child.returncode == -signal.SIGKILL
    until(lambda: not alive(grandchild))
