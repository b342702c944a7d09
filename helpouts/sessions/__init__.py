"""Live sessions: rooms, presence, the meter, and the contract of the video transports."""

from helpouts.sessions.transport import (
    CheckingDriver,
    JoinGrant,
    MediaRoom,
    RecordingDriver,
    TransportCapabilities,
    TransportContext,
    TransportDriver,
    TransportError,
    TransportFull,
    VideoTransport,
)

__all__ = [
    "CheckingDriver",
    "JoinGrant",
    "MediaRoom",
    "RecordingDriver",
    "TransportCapabilities",
    "TransportContext",
    "TransportDriver",
    "TransportError",
    "TransportFull",
    "VideoTransport",
]
