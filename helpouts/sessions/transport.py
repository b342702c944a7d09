"""The contract of a video transport: the plugin family that carries the call.

A transport lives in the *live* process (asyncio).  The core owns everything above the media: who may
enter, presence, chat, the meter.  The transport owns the media: it opens a room, admits a participant by
handing the browser a :class:`JoinGrant`, forgets the participant, closes the room.

In the browser the transport ships one ES module that exports :js:func:`connect`, and :js:func:`check` if it can::

    export async function connect({config, signal, onTrack, onState, kit}) -> connection

    config    the JSON of JoinGrant.config
    signal    {send(object), onmessage}: a channel through the room's WebSocket to VideoTransport.on_signal
    onTrack   (kind, track) => void      kind is "audio", "video" or "screen": a track of the other side;
              called again with another track object when it is replaced, with null when it is gone
    onState   (state) => void            "connecting" | "connected" | "reconnecting" | "failed" | "closed"
    kit       {Slots, Statistics, ...}   what transports over RTCPeerConnection share (static/js/room/kit.js); optional

    connection.publish({audio, video})          MediaStreamTracks or null; may be called before the peer is there
    connection.replaceTrack(kind, track)        "audio" | "video" | "screen"; null stops sending
    connection.peerPresent(boolean)             the core says whether the other side is in the room
    connection.prefer(kind, {maxBitrate, priority})   optional: bits a second, and "low" to "high", for what is sent
    connection.statistics() -> Promise of       the fields of kit.Statistics, rates since the call before:
        {rttMs (null while unknown), lossPercent, sendKbps, receiveKbps, availableKbps, frameWidth, frameHeight, fps,
         sendWidth, sendHeight, sendFps, jitterMs, freezes, limitation, framesDecoded, totalAudioEnergy,
         path ("host" | "srflx" | "prflx" | "relay" | ""), protocol ("udp" | "tcp" | "")}
    connection.restart() -> Promise             the network changed: find a new path, keep the media
    connection.close()                          idempotent

    export async function check({config, kit, abort}) -> Promise of {path, rttMs, lossPercent, kbps} or null

    Before joining, without the other side: send media to where the call will go and back (kit.loopBack does it over
    connections that lead back).  config is the JSON of CheckingDriver.check, abort an AbortSignal.  path is "udp" or
    "tcp", null when nothing gets through; kbps what came back a second.  null when it cannot tell: the page then
    measures the way to the live process by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

Json = dict[str, Any]
#: ``sink(participant_id, data)`` keeps some bytes of a recording, in the transport's own format.  It never blocks and
#: never raises; the bytes of one call stay together.
Sink = Callable[[str, bytes], None]
#: ``convert(blocks, participants, target)`` writes a film that browsers play (WebM) to ``target``.  ``blocks`` are
#: (participant, data) as they went into the sink, in that order; ``participants`` are both, the expert first.  The
#: target exists, is empty, and has no ending: write to it as it is, and write nothing else to the disk.
Convert = Callable[[Iterable[tuple[str, bytes]], Sequence[str], Path], None]


@dataclass(frozen=True, slots=True)
class TransportCapabilities:
    """What a transport can do; the room page and the booking rules ask before they offer it."""

    server_media: bool = False
    recording: bool = False
    screen_sharing: bool = True
    group: bool = False
    audio_only: bool = True


@dataclass(frozen=True, slots=True)
class MediaRoom:
    """One room of the core as the transport sees it.  ``data`` is what :meth:`VideoTransport.open_room` returned."""

    id: str
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JoinGrant:
    """What one browser needs to take part: ``config`` goes to the module's ``connect``.

    A grant is for one participant, single use and short-lived (60 s unless the transport says less);
    a participant who comes back asks for a new one.
    """

    config: Json
    expires_in: int = 60


@dataclass(frozen=True, slots=True)
class TransportContext:
    """What the live process lends to a transport.

    :param settings: the plugin's settings, decrypted, defaults filled in; read at each use.
    :param send: ``await send(room_id, participant_id, message)`` puts a signalling message on the
        participant's WebSocket (dropped when the participant is not connected).
    :param public_base: the live process's own public URL, without a slash at the end; the routes a
        plugin mounts are below ``{public_base}/x/{plugin}/``.
    :param node: the name of this live node.
    """

    settings: Callable[[], Mapping[str, Any]]
    send: Callable[[str, str, Json], Awaitable[None]]
    public_base: str
    node: str


class TransportError(Exception):
    """The transport cannot do it now; the text is for the operator, the participant sees a plain apology."""


class TransportFull(TransportError):
    """No capacity left: try again after ``retry_after`` seconds (RFC 9110 section 10.2.3)."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@runtime_checkable
class TransportDriver(Protocol):
    """The running side of a transport, made once per live process by :attr:`VideoTransport.start`.

    All methods are idempotent: closing a room twice or dismissing somebody who left is no error.
    """

    async def open_room(self, room_id: str) -> Json:
        """Prepare a room; the JSON-able answer comes back as ``MediaRoom.data`` in later calls."""
        ...

    async def admit(self, room: MediaRoom, participant_id: str, name: str) -> JoinGrant:
        """Let one participant in.  Admitting somebody again replaces the earlier grant (a reload).

        :raises TransportFull: when there is no capacity.
        """
        ...

    async def on_signal(self, room: MediaRoom, participant_id: str, message: Json) -> None:
        """A message that the participant's module sent through the room's WebSocket."""
        ...

    async def dismiss(self, room: MediaRoom, participant_id: str) -> None:
        """The participant has left for now; free what was held for them."""
        ...

    async def close_room(self, room: MediaRoom) -> None:
        """The session is over; free everything."""
        ...

    def statistics(self) -> Json:
        """Figures for the operator's view and /metrics, all numbers.

        ``rooms`` and ``legs`` are as of now; ``packets_in``, ``packets_out``, ``bytes_in``, ``bytes_out`` (with the
        name of a path before them if there are several: ``tcp_packets_in``) and ``dropped_CAUSE`` only grow.
        """
        ...

    async def stop(self) -> None:
        """The live process is going down: release ports and tasks."""
        ...


@runtime_checkable
class CheckingDriver(Protocol):
    """A driver whose module exports ``check``: what it needs to try the network before somebody joins."""

    async def check(self) -> Json:
        """The ``config`` of one check; it takes nobody's seat and is worth nothing after a minute.

        :raises TransportFull: when too many are trying already.
        """
        ...


@runtime_checkable
class RecordingDriver(TransportDriver, Protocol):
    """The further methods of a driver whose transport says ``capabilities.recording``."""

    async def start_recording(self, room: MediaRoom, sink: Sink) -> None:
        """Give everything that the participants send to ``sink`` from now on, also of those who come later or again.

        Ask for a key picture, so that the film begins at once.  A second call replaces the sink.
        """
        ...

    async def stop_recording(self, room: MediaRoom) -> None:
        """Nothing goes to the sink after this; no error when nothing was recorded."""
        ...


@dataclass(frozen=True, slots=True)
class VideoTransport:
    """The record a plugin returns from ``helpouts_video_transports``.

    :param name: unique, lower case; operators choose by it.
    :param module: path of the ES module below the plugin's package, e.g. ``static/transport.js``;
        the web process serves it at ``/x/{plugin}/static/...``.
    :param start: makes the :class:`TransportDriver`, called once in each live process on first use.
    :param convert: makes the film of a recording.  It must be a function of a module: it is called in a process of its
        own, at low priority, without the site's keys, and with 2 GiB of memory at most.
    """

    name: str
    title: object
    summary: object
    capabilities: TransportCapabilities
    module: str
    start: Callable[[TransportContext], Awaitable[TransportDriver]]
    requirements: Sequence[str] = ()
    convert: Convert | None = None
