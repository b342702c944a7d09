"""The canonical offer, and reading the answer to it (RFC 8829, RFC 8866).

The server always offers and never answers: whatever the browser, both legs then use the same payload types,
header-extension ids and mids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from helpouts.errors import HelpoutsError
from helpouts.i18n import gettext as _
from helpouts_video_aiortc.agreement import ALL
from helpouts_video_aiortc.slots import EXTENSIONS, SLOTS, Codec, Slot

FEEDBACK = {
    "audio": ("transport-cc",),
    "video": ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"),
}
PRIORITY = 2130706431
"""Of the first host candidate (RFC 8445 section 5.1.2.1); the following get less."""
TCP_PRIORITY = 90 << 24 | (4 << 13 | 8191) << 8 | 255
"""Of the first TCP candidate: passive, and behind all of UDP (RFC 6544 section 4.2)."""
HASHES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_FINGERPRINT = re.compile(r"(?:[0-9A-F]{2}:)*[0-9A-F]{2}")


class BadAnswer(HelpoutsError):
    """The browser's answer cannot be used; the message says why."""

    code = "bad_answer"


@dataclass(frozen=True, slots=True)
class Ice:
    """The credentials of one ICE session (RFC 8445 section 5.3)."""

    ufrag: str
    password: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What differs from leg to leg.

    :param session: numeric SDP session id, the same for all offers of a leg.
    :param version: counts the leg's offers.
    :param ssrcs: the SSRC that the leg will see for each payload type.
    :param candidates: addresses and port under which the browser reaches the relay.
    :param tcp: the same addresses and port take TCP connections as well.
    :param offered: payload types of codecs; others are left out.
    """

    session: int
    version: int
    ice: Ice
    fingerprint: str
    ssrcs: Mapping[int, int]
    candidates: Sequence[tuple[str, int]]
    tcp: bool = False
    offered: frozenset[int] = ALL

    def sdp(self) -> str:
        """The description, with all candidates: an ICE-lite server does not trickle."""
        bundle = " ".join(slot.mid for slot in SLOTS)
        lines = [
            "v=0",
            f"o=- {self.session} {self.version} IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=ice-lite",
            f"a=group:BUNDLE {bundle}",
            "a=msid-semantic:WMS *",
        ]
        for slot in SLOTS:
            lines += self._section(slot)
        return "\r\n".join(lines) + "\r\n"

    def _section(self, slot: Slot) -> list[str]:
        codecs = [codec for codec in slot.codecs if codec.payload in self.offered]
        payloads = [payload for codec in codecs for payload in (codec.payload, codec.rtx) if payload is not None]
        lines = [
            f"m={slot.media} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, payloads))}",
            "c=IN IP4 0.0.0.0",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=mid:{slot.mid}",
            f"a=ice-ufrag:{self.ice.ufrag}",
            f"a=ice-pwd:{self.ice.password}",
            f"a=fingerprint:sha-256 {self.fingerprint}",
            "a=setup:actpass",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            "a=sendrecv",
        ]
        lines += [f"a=extmap:{id_} {uri}" for id_, (uri, media) in EXTENSIONS.items() if slot.media in media]
        for codec in codecs:
            lines += self._codec(slot, codec)
        lines += self._sources(slot)
        return [*lines, *self._candidates(), "a=end-of-candidates"]

    def _candidates(self) -> Iterator[str]:
        for rank, (address, port) in enumerate(self.candidates):
            yield f"a=candidate:{rank + 1} 1 udp {PRIORITY - 256 * rank} {address} {port} typ host"
        for rank, (address, port) in enumerate(self.candidates if self.tcp else ()):
            priority = TCP_PRIORITY - 256 * rank
            yield f"a=candidate:{rank + 101} 1 tcp {priority} {address} {port} typ host tcptype passive"

    @staticmethod
    def _codec(slot: Slot, codec: Codec) -> list[str]:
        lines = [f"a=rtpmap:{codec.payload} {codec.name}"]
        lines += [f"a=rtcp-fb:{codec.payload} {feedback}" for feedback in FEEDBACK[slot.media]]
        lines.append(f"a=fmtp:{codec.payload} {codec.format}")
        if codec.rtx is not None:
            lines += [f"a=rtpmap:{codec.rtx} rtx/{slot.clock}", f"a=fmtp:{codec.rtx} apt={codec.payload}"]
        return lines

    def _sources(self, slot: Slot) -> list[str]:
        # Camera and microphone are one stream, so that the browser keeps them in step; the screen is its own.
        stream = "screen" if slot.kind == "screen" else "person"
        ssrcs = [self.ssrcs[payload] for payload in (slot.payload, slot.rtx) if payload is not None]
        lines = [f"a=msid:{stream} {slot.kind}"]
        if len(ssrcs) == 2:
            lines.append(f"a=ssrc-group:FID {ssrcs[0]} {ssrcs[1]}")
        return lines + [f"a=ssrc:{ssrc} cname:relay" for ssrc in ssrcs]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the relay needs of the browser's answer.

    :param fingerprints: hash function name to value of the certificate that DTLS will show.
    :param active: the browser begins the DTLS handshake (RFC 5763 section 5).
    :param payloads: payload types that it accepts.
    :param ice: its credentials, for a check that the relay sends; None when it names none.
    """

    fingerprints: Mapping[str, str]
    active: bool
    payloads: frozenset[int]
    ice: Ice | None = None


def parse_answer(text: str) -> Answer:
    """Read an answer to the canonical offer.

    :raises BadAnswer: when it is not one.
    """
    if not text.startswith("v=0"):
        raise BadAnswer(_("This is no session description: send the browser's answer as application/sdp."))
    head, *sections = re.split(r"(?m)^(?=m=)", text.replace("\r\n", "\n"))
    if len(sections) != len(SLOTS):
        raise BadAnswer(_("The answer must have the three media sections of the offer."))
    fingerprints: dict[str, str] = {}
    setups: set[str] = set()
    payloads: set[int] = set()
    ice: Ice | None = None
    for slot, section in zip(SLOTS, sections, strict=True):
        attributes = _attributes(section)
        if attributes.get("mid") != [slot.mid]:
            raise BadAnswer(_("The answer's media sections are not those of the offer."))
        media = section.split("\n", 1)[0].split()
        if len(media) < 4 or media[1] == "0":
            continue
        offered = {payload for codec in slot.codecs for payload in (codec.payload, codec.rtx)}
        payloads.update(payload for payload in offered if payload is not None and str(payload) in media[3:])
        for source in (attributes, _attributes(head)):
            setups.update(source.get("setup", ()))
            fingerprints.update(_fingerprints(source.get("fingerprint", ())))
            ice = ice or _credentials(source)
    if not payloads:
        raise BadAnswer(_("The answer accepts none of the offered codecs (Opus, VP8, H.264)."))
    if not fingerprints:
        raise BadAnswer(_("The answer names no certificate (a=fingerprint with sha-256, sha-384 or sha-512)."))
    if setups not in ({"active"}, {"passive"}):
        raise BadAnswer(_("The answer must say a=setup:active or a=setup:passive, the same everywhere."))
    return Answer(fingerprints, setups == {"active"}, frozenset(payloads), ice)


def _credentials(attributes: Mapping[str, Sequence[str]]) -> Ice | None:
    """Those of a section (RFC 8839 section 5.4), when both are there and of a length that the RFC allows."""
    ufrag, password = (attributes.get(name, [""])[0] for name in ("ice-ufrag", "ice-pwd"))
    return Ice(ufrag, password) if 4 <= len(ufrag) <= 256 and 22 <= len(password) <= 256 else None


def _attributes(section: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in section.split("\n"):
        if line.startswith("a="):
            name, _colon, value = line[2:].strip().partition(":")
            found.setdefault(name, []).append(value)
    return found


def _fingerprints(values: Sequence[str]) -> dict[str, str]:
    """Well-formed fingerprints only: with any other the handshake would fail without a word."""
    good = {}
    for value in values:
        name, _space, digest = value.partition(" ")
        name, digest = name.lower(), digest.strip().upper()
        if name in HASHES and _FINGERPRINT.fullmatch(digest) and len(digest) == 3 * HASHES[name] - 1:
            good[name] = digest
    return good
