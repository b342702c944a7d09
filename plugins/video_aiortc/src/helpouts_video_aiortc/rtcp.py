"""Carrying RTCP from one leg to the other as if they spoke directly (RFC 3550, RFC 4585, RFC 5104).

The relay makes no feedback of its own save requests for a keyframe: retransmission, loss reports and bandwidth
estimation run from browser to browser.  SSRCs are mapped both ways, and the shifts of :mod:`rewrite` are undone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from helpouts_video_aiortc.rewrite import Outgoing, Stream

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION = 200, 201, 202
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
NACK, TMMBR, TMMBN, TRANSPORT_CC = 1, 3, 4, 15
PLI, SLI, RPSI, FIR, APPLICATION = 1, 2, 3, 4, 15
REPORT_BLOCK = 24
_WORD = struct.Struct("!I")
_TWO_WORDS = struct.Struct("!II")
_TWO_SHORTS = struct.Struct("!HH")


def is_rtcp(datagram: bytes | memoryview) -> bool:
    """Tell RTCP from RTP on one port by the second byte (RFC 5761 section 4)."""
    return len(datagram) >= 8 and 192 <= datagram[1] <= 223


def picture_loss(sender: int, media: int) -> bytes:
    """A request for a keyframe (RFC 4585 section 6.3.1)."""
    return struct.pack("!BBHII", 0x80 | PLI, PAYLOAD_FEEDBACK, 2, sender, media)


def packets(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The packets of a compound as (count or format, packet type, body without padding); stops at a broken one."""
    at = 0
    while at + 4 <= len(compound):
        first, kind, words = struct.unpack_from("!BBH", compound, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(compound):
            return
        body = compound[at + 4 : end]
        if first & 0x20:
            if not body or body[-1] > len(body):
                return
            body = body[: len(body) - body[-1]]
        yield first & 0x1F, kind, body
        at = end


def translate(compound: bytes, heard: Outgoing, shown: Outgoing) -> bytes:
    """What the other leg is to receive; empty when nothing is left.

    :param compound: unprotected RTCP.
    :param heard: the streams that its author receives.
    :param shown: the streams that the addressee receives: how the author's own sources look there.
    """
    out = []
    for count, kind, body in packets(compound):
        if len(body) < 4:
            continue
        if kind == SENDER_REPORT:
            out.append(_sender_report(count, body, heard, shown))
        elif kind == RECEIVER_REPORT:
            out.append(_receiver_report(count, body, heard, shown))
        elif kind == SOURCE_DESCRIPTION:
            out.append(_source_description(count, body, shown))
        elif kind in (TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK) and len(body) >= 8:
            out.append(_feedback(count, kind, body, heard, shown))
        # BYE stays here: the stream goes on when the source comes back.  APP and XR are not negotiated.
    return b"".join(out)


def _packed(count: int, kind: int, body: bytes) -> bytes:
    """A packet; padded to whole words, as reports of arrivals, which are of any length, come from browsers."""
    gap = -len(body) % 4
    if gap:
        count |= 0x20
        body += bytes(gap - 1) + bytes([gap])
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def _author(ssrc: int, shown: Outgoing) -> int:
    """The author as the addressee knows it; a receiver that sends nothing speaks as the audio stream."""
    stream = shown.by_source.get(ssrc)
    return stream.ssrc if stream is not None else next(iter(shown.by_ssrc))


def _sender_report(count: int, body: bytes, heard: Outgoing, shown: Outgoing) -> bytes:
    stream = shown.by_source.get(_WORD.unpack_from(body)[0])
    if len(body) < 24:
        return b""
    if stream is None:
        return _receiver_report(count, body[:4] + body[24:], heard, shown)
    high, low = _TWO_WORDS.unpack_from(body, 4)
    timestamp = (_WORD.unpack_from(body, 12)[0] + stream.numbers.timestamp_shift) & 0xFFFFFFFF
    stream.reports.append((high << 16 | low >> 16) & 0xFFFFFFFF)
    blocks = _blocks(body[24:], count, heard)
    head = _WORD.pack(stream.ssrc) + body[4:12] + _WORD.pack(timestamp) + body[16:24]
    return _packed(len(blocks), SENDER_REPORT, head + b"".join(blocks))


def _receiver_report(count: int, body: bytes, heard: Outgoing, shown: Outgoing) -> bytes:
    blocks = _blocks(body[4:], count, heard)
    ssrc = _author(_WORD.unpack_from(body)[0], shown)
    return _packed(len(blocks), RECEIVER_REPORT, _WORD.pack(ssrc) + b"".join(blocks))


def _blocks(body: bytes, count: int, heard: Outgoing) -> list[bytes]:
    """Report blocks about streams that have a source, with that source's own numbers."""
    blocks = []
    for at in range(0, min(count * REPORT_BLOCK, len(body) - REPORT_BLOCK + 1), REPORT_BLOCK):
        ssrc, lost, highest, jitter, last, delay = struct.unpack_from("!6I", body, at)
        stream = heard.by_ssrc.get(ssrc)
        if stream is None or stream.source is None or stream.unplace(highest & 0xFFFF) is None:
            continue
        if last not in stream.reports:
            # The report it answers came from the source before, whose clock is another.
            last = delay = 0
        highest = (highest - stream.numbers.shift) & 0xFFFFFFFF
        blocks.append(struct.pack("!6I", stream.source, lost, highest, jitter, last, delay))
    return blocks


def _source_description(count: int, body: bytes, shown: Outgoing) -> bytes:
    """SDES with one chunk per source; dropped as a whole unless it is about one known source."""
    stream = shown.by_source.get(_WORD.unpack_from(body)[0])
    if count != 1 or stream is None or len(body) % 4:
        return b""
    return _packed(1, SOURCE_DESCRIPTION, _WORD.pack(stream.ssrc) + body[4:])


def _feedback(form: int, kind: int, body: bytes, heard: Outgoing, shown: Outgoing) -> bytes:
    author, media = _TWO_WORDS.unpack_from(body)
    stream = heard.by_ssrc.get(media)
    source = stream.source if stream is not None else None
    control = body[8:]
    if kind == TRANSPORT_FEEDBACK and form == TRANSPORT_CC:
        source = source if source is not None else next(iter(heard.by_source), None)
        control = heard.transport.report(control)
    elif kind == TRANSPORT_FEEDBACK and form == NACK:
        control = _lost(control, stream)
    elif (kind == TRANSPORT_FEEDBACK and form in (TMMBR, TMMBN)) or (kind == PAYLOAD_FEEDBACK and form == FIR):
        control, source = _entries(control, heard), 0
    elif kind == PAYLOAD_FEEDBACK and form == APPLICATION:
        control, source = _estimate(control, heard), 0
    elif kind != PAYLOAD_FEEDBACK or form not in (PLI, SLI, RPSI):
        return b""
    if source is None or (body[8:] and not control):
        return b""
    return _packed(form, kind, _TWO_WORDS.pack(_author(author, shown), source) + control)


def _lost(control: bytes, stream: Stream | None) -> bytes:
    """NACK entries (RFC 4585 section 6.2.1) with the source's numbers; what another source sent cannot be repeated."""
    out = []
    for at in range(0, len(control) - 3, 4):
        packet, following = _TWO_SHORTS.unpack_from(control, at)
        original = stream.unplace(packet) if stream is not None else None
        if original is not None:
            out.append(_TWO_SHORTS.pack(original, following))
    return b"".join(out)


def _entries(control: bytes, heard: Outgoing) -> bytes:
    """FIR, TMMBR and TMMBN: eight bytes each that begin with an SSRC (RFC 5104 section 4)."""
    out = []
    for at in range(0, len(control) - 7, 8):
        stream = heard.by_ssrc.get(_WORD.unpack_from(control, at)[0])
        if stream is not None and stream.source is not None:
            out.append(_WORD.pack(stream.source) + control[at + 4 : at + 8])
    return b"".join(out)


def _estimate(control: bytes, heard: Outgoing) -> bytes:
    """REMB (draft-alvestrand-rmcat-remb-03 section 2.2): a bit rate and the SSRCs that it is for."""
    if control[:4] != b"REMB" or len(control) < 8 or len(control) < 8 + 4 * control[4]:
        return b""
    listed = struct.unpack_from(f"!{control[4]}I", control, 8)
    streams = [heard.by_ssrc[ssrc] for ssrc in listed if ssrc in heard.by_ssrc]
    sources = [stream.source for stream in streams if stream.source is not None]
    if not sources:
        return b""
    return b"REMB" + bytes([len(sources)]) + control[5:8] + struct.pack(f"!{len(sources)}I", *sources)
