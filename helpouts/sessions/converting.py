"""Making a film in a process of its own: what browsers sent is decoded there, far from keys and database.

The parent reads and unseals the segments and writes them to the child's standard input as frames (length of the
participant's name, name, length of the data, data; nothing of length 0 ends it).  The child has no environment, the
lowest priority, a limit of memory, and writes one file, which has no name: when both die, the system takes it back.
A parent that dies closes the pipe, and the child gives up.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, BinaryIO

from helpouts.sessions.transport import Convert

_LENGTHS = struct.Struct("!II")
MEMORY = 2 * 1024**3
NICE = 15


class ConversionFailed(Exception):
    """The child could not make the film; the text is the end of what it said."""


def pack(blocks: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The blocks as frames; also what segments are made of."""
    for participant, data in blocks:
        name = participant.encode()
        yield _LENGTHS.pack(len(name), len(data)) + name
        yield data


def unpack(pieces: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The blocks again, from pieces of any size; what is cut off at the end is left out."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= _LENGTHS.size:
            name, data = _LENGTHS.unpack_from(waiting)
            end = _LENGTHS.size + name + data
            if len(waiting) < end:
                break
            yield bytes(waiting[_LENGTHS.size : end - data]).decode(), bytes(waiting[end - data : end])
            del waiting[:end]


def run(convert: Convert, blocks: Iterable[tuple[str, bytes]], participants: Sequence[str], film: IO[bytes]) -> None:
    """Run ``convert`` in a child and wait for it.

    :param film: an open file that takes it; it needs no name.
    :raises ConversionFailed: when it fails or is killed.
    """
    command = [sys.executable, "-m", __name__, convert.__module__, convert.__qualname__, json.dumps(participants)]
    child = subprocess.Popen(
        [*command, f"/dev/fd/{film.fileno()}"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": os.defpath},
        cwd="/",
        pass_fds=[film.fileno()],
    )
    assert child.stdin is not None
    assert child.stderr is not None
    try:
        with contextlib.suppress(BrokenPipeError):  # it has given up; its last words say why
            for frame in pack(blocks):
                child.stdin.write(frame)
            child.stdin.write(_LENGTHS.pack(0, 0))
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        said = child.stderr.read()[-2000:].decode(errors="replace")
        if child.wait() != 0:
            raise ConversionFailed(f"ended with {child.returncode}: {said}")
    finally:
        child.kill()
        child.wait()
        child.stderr.close()


def _frames(source: BinaryIO) -> Iterator[tuple[str, bytes]]:
    while True:
        lengths = source.read(_LENGTHS.size)
        if len(lengths) < _LENGTHS.size:
            raise EOFError("whoever gave the packets has died")
        name, data = _LENGTHS.unpack(lengths)
        if not name:
            return
        yield source.read(name).decode(), source.read(data)


def main(module: str, name: str, participants: str, target: str) -> None:
    """The child."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    convert: Convert = getattr(import_module(module), name)
    convert(_frames(sys.stdin.buffer), json.loads(participants), Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
