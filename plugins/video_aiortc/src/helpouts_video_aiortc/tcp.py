"""The same port number over TCP, for browsers whose network lets no UDP through (RFC 6544, RFC 4571).

Each connection carries datagrams, each behind two bytes of length, to the same place as the UDP socket.  A connection
is nobody's until a check over it has been authenticated.  What a slow path cannot take is dropped and counted, never
queued for long: late media is no use.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import Counter
from collections.abc import Callable
from typing import Protocol, Self, cast

from helpouts_video_aiortc.private import Address

DATAGRAM = 2048
"""Bytes; a longer frame is not media, and its sender is cut off."""
WAITING_BYTES = 64 * 1024
"""What may wait in this process for a slow path, and as much again in the kernel: a quarter of a second each."""
CONNECTIONS = 2048
PER_HOST = 64
"""Connections of one address: many callers may sit behind one."""
UNPROVEN_SECONDS = 5.0
UNPROVEN_FRAMES = 8
"""A connection that has proved nothing by then is cut off."""
IDLE_SECONDS = 60.0
_NOTSENT_LOWAT = 25
"""TCP_NOTSENT_LOWAT of Linux, which has no name in Python 3.11."""


class Hub(Protocol):
    """What the connections need of the port."""

    @property
    def counters(self) -> Counter[str]:
        """Frames and bytes, and what was cut by cause."""

    def deliver(self, datagram: bytes, address: Address) -> None:
        """A datagram came in."""

    def knows(self, address: Address) -> bool:
        """Whether an authenticated check has come from there, and its leg lives."""


class Way(tuple[str, int, int]):
    """The address of whoever is behind a TCP connection: host, port, and a number that tells it from UDP's."""

    stream: Stream

    @classmethod
    def of(cls, stream: Stream, host: str, port: int, number: int) -> Self:
        """The way through a connection."""
        way = cls((host, port, number))
        way.stream = stream
        return way


class Stream(asyncio.Protocol):
    """One connection."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._transport: asyncio.Transport
        self._rest = b""
        self._frames = 0
        self.way: Way
        self.open = False
        self.since = self.heard = 0.0
        self.proven = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it in, or cut it off when there are too many of its address."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self.open = True
        peer = transport.get_extra_info("peername") or ("", 0)
        if sys.platform == "linux":
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, WAITING_BYTES)
        self._streams.made(self, str(peer[0]), int(peer[1]))

    def data_received(self, data: bytes) -> None:
        """Cut the bytes into frames; half of one waits for its rest, which is never longer than a frame may be."""
        data, at = self._rest + data if self._rest else data, 0
        while self.open and len(data) - at >= 2:
            length = data[at] << 8 | data[at + 1]
            if length > DATAGRAM:
                self._streams.cut(self, "frame")
                return
            if len(data) - at - 2 < length:
                break
            at += 2 + length
            if length:
                self._frame(data[at - length : at])
        self._rest = data[at:] if self.open else b""

    def _frame(self, datagram: bytes) -> None:
        self._streams.arrived(self, datagram)
        if not self.proven:
            self._frames += 1
            if self._frames >= UNPROVEN_FRAMES:
                self._streams.cut(self, "unproven")

    def connection_lost(self, _error: Exception | None) -> None:
        """Either side has ended it."""
        self.open = False
        self._streams.lost(self)

    def send(self, datagram: bytes) -> bool:
        """Send one datagram; false when it was dropped, because the path is slow or gone."""
        if not self.open or self._transport.is_closing() or self._transport.get_write_buffer_size() > WAITING_BYTES:
            return False
        self._transport.write(len(datagram).to_bytes(2) + datagram)
        return True

    def abort(self) -> None:
        """End it at once; nothing of it is heard or sent any more."""
        self.open = False
        self._transport.abort()


class Streams:
    """All connections of the port number."""

    def __init__(self, hub: Hub, clock: Callable[[], float]) -> None:
        self._hub = hub
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._all: dict[Stream, None] = {}
        self._unproven: dict[Stream, None] = {}
        self._hosts: Counter[str] = Counter()
        self._number = 0

    async def listen(self, bind: str, port: int) -> None:
        """Accept connections.

        :raises OSError: the port number is taken, or the address is none of this machine's.
        """
        self._server = await asyncio.get_running_loop().create_server(lambda: Stream(self), bind, port, backlog=256)

    def __len__(self) -> int:
        return len(self._all)

    def made(self, stream: Stream, host: str, port: int) -> None:
        """Take in a new connection.  When all places are taken, the oldest that has proved nothing gives up its own."""
        self._number += 1
        stream.way = Way.of(stream, host, port, self._number)
        stream.since = stream.heard = self._clock()
        self._all[stream] = self._unproven[stream] = None
        self._hosts[host] += 1
        if self._hosts[host] > PER_HOST:
            self.cut(stream, "per_host")
        elif len(self._all) > CONNECTIONS:
            self.cut(next(iter(self._unproven)), "connections")

    def arrived(self, stream: Stream, datagram: bytes) -> None:
        """Hand on a datagram."""
        stream.heard = self._clock()
        counters = self._hub.counters
        counters["tcp_packets_in"] += 1
        counters["tcp_bytes_in"] += len(datagram)
        self._hub.deliver(datagram, stream.way)
        if not stream.proven and self._hub.knows(stream.way):
            stream.proven = True
            self._unproven.pop(stream, None)

    def cut(self, stream: Stream, cause: str) -> None:
        """End a connection that is not welcome, and count it as ``tcp_cut_{cause}``."""
        self._hub.counters[f"tcp_cut_{cause}"] += 1
        self._end(stream)

    def lost(self, stream: Stream) -> None:
        """A connection has ended."""
        if stream in self._all:
            del self._all[stream]
            self._unproven.pop(stream, None)
            host = stream.way[0]
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

    def _end(self, stream: Stream) -> None:
        self.lost(stream)
        stream.abort()

    def sweep(self) -> None:
        """End connections that prove nothing, that belong to nobody any more, and that have fallen silent."""
        now = self._clock()
        for stream in list(self._all):
            if not stream.proven:
                if now - stream.since >= UNPROVEN_SECONDS:
                    self.cut(stream, "unproven")
            elif not self._hub.knows(stream.way) or now - stream.heard >= IDLE_SECONDS:
                self._end(stream)

    async def close(self) -> None:
        """End all connections and release the port number; idempotent."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for stream in list(self._all):
            self._end(stream)
        if server is not None:
            await server.wait_closed()
