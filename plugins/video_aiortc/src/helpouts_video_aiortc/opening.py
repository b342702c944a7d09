"""Opening the port number of all calls, and the addresses under which browsers reach it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from helpouts.sessions.transport import TransportError
from helpouts_video_aiortc import EVERYWHERE, private
from helpouts_video_aiortc.port import UdpPort
from helpouts_video_aiortc.tcp import Streams

ATTEMPTS = 10


def open_port(bind: str, port: int, clock: Callable[[], float]) -> UdpPort:
    """Open the UDP socket; 0 takes any free number.

    :raises TransportError: when the number is taken, or the address is none of this machine's.
    """
    try:
        return UdpPort(bind, port, clock)
    except OSError as error:
        raise TransportError(f"UDP port {port} on {bind} cannot be opened ({error}): change bind or port") from error


async def open_streams(port: UdpPort, bind: str, wanted: int, clock: Callable[[], float]) -> tuple[UdpPort, Streams]:
    """Take TCP connections on the number of the UDP socket; where any will do, both move until they find a free one.

    :param wanted: the number in the settings, 0 for any.
    :raises TransportError: when it is taken.
    """
    for attempt in range(ATTEMPTS):
        streams = Streams(port, clock)
        try:
            await streams.listen(bind, port.number)
        except OSError as error:
            if wanted or attempt == ATTEMPTS - 1:
                text = f"TCP port {port.number} on {bind} cannot be opened ({error})"
                raise TransportError(f"{text}: change bind or port, or switch tcp off") from error
            port.close()
            port = open_port(bind, 0, clock)
        else:
            break
    return port, streams


def addresses(public_ip: str, bind: str) -> list[str]:
    """The addresses to offer, best first: what the operator says, else the one bound to, else all of this machine.

    :raises TransportError: when one of the settings is no IPv4 address.
    """
    named = [word.strip() for word in public_ip.split(",") if word.strip()]
    for word in named:
        try:
            ipaddress.IPv4Address(word)
        except ValueError as error:
            raise TransportError(f"public_ip: {word!r} is no IPv4 address") from error
    if named:
        return named
    # 127.0.0.1 comes last: right for a browser on this machine, harmless for others.
    return [bind] if bind != EVERYWHERE else [*private.host_addresses(), "127.0.0.1"]
