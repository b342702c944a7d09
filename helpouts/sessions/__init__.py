"""Live sessions: rooms, presence, the meter, and the contract of the video transports."""

from helpouts.sessions.transport import (
    JoinGrant,
    MediaRoom,
    TransportCapabilities,
    TransportContext,
    TransportDriver,
    TransportError,
    TransportFull,
    VideoTransport,
)

__all__ = [
    "JoinGrant",
    "MediaRoom",
    "TransportCapabilities",
    "TransportContext",
    "TransportDriver",
    "TransportError",
    "TransportFull",
    "VideoTransport",
]
