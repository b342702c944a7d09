"""A real HTTP server on loopback that behaves as badly as it is told."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Conversation"], None]


@dataclass
class Conversation:
    """One request, and the raw line to whoever made it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    line: Any
    closing: threading.Event

    def answer(self, body: bytes | str = b"", status: str = "200 OK", **headers: str) -> None:
        """A whole, honest answer; header names with underscores, ``Content_Length=""`` to leave it out."""
        body = body.encode() if isinstance(body, str) else body
        given = {"Content-Length": str(len(body)), "Content-Type": "text/calendar; charset=utf-8"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        self.send(f"HTTP/1.1 {status}\r\n{head}Connection: close\r\n\r\n".encode() + body)

    def send(self, data: bytes) -> None:
        """Raw bytes; a client that has gone is no concern of ours."""
        with contextlib.suppress(OSError):
            self.line.sendall(data)

    def hang(self, seconds: float = 30) -> None:
        """Say nothing until the test is over."""
        self.closing.wait(seconds)


@dataclass
class Server:
    """Answers each request as :attr:`behave` says; :attr:`seen` are the requests."""

    behave: Behaviour
    port: int = 0
    seen: list[Conversation] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serving(behave: Behaviour | str | bytes, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A running server; a text is what it answers to everything."""
    content = behave
    server = Server(behave if callable(behave) else lambda talk: talk.answer(content))  # type: ignore[arg-type]
    closing = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    server.port = listener.getsockname()[1]
    threads: list[threading.Thread] = []

    def handle(line: socket.socket) -> None:
        line.settimeout(10)
        if tls is not None:
            with contextlib.suppress(OSError):
                tls.wrap_socket(line, server_side=True).close()
            line.close()
            return
        with line, contextlib.suppress(OSError, ValueError, IndexError):
            data = b""
            while b"\r\n\r\n" not in data:
                data += line.recv(65536) or b"\r\n\r\n"
            head, _, body = data.partition(b"\r\n\r\n")
            first, *rest = head.decode().split("\r\n")
            headers = {name.lower(): value for name, value in (row.split(": ", 1) for row in rest)}
            while len(body) < int(headers.get("content-length", 0)):
                body += line.recv(65536)
            talk = Conversation(first.split()[0], first.split()[1], headers, body, line, closing)
            server.seen.append(talk)
            server.behave(talk)

    def accept() -> None:
        while not closing.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                line, _ = listener.accept()
                thread = threading.Thread(target=handle, args=(line,), daemon=True)
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        closing.set()
        accepting.join(5)
        listener.close()
        for thread in threads:
            thread.join(5)
