"""The canonical offer and what is accepted as an answer to it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from aiortc.sdp import SessionDescription
from helpouts_video_aiortc.sdp import BadAnswer, Ice, Offer, parse_answer
from helpouts_video_aiortc.slots import EXTENSIONS, SLOTS
from hypothesis import given
from hypothesis import strategies as st

FINGERPRINT = ":".join(["AB"] * 32)
OFFER = Offer(
    session=5,
    version=1,
    ice=Ice("abcdefgh", "0123456789abcdef0123456789abcdef"),
    fingerprint=FINGERPRINT,
    ssrcs={111: 1, 96: 2, 97: 3, 98: 4, 99: 5},
    candidates=[("192.0.2.1", 5000), ("127.0.0.1", 5000)],
)
ANSWER = OFFER.sdp().replace("actpass", "active").replace("a=ice-lite\r\n", "")


def test_the_offer_has_three_bundled_slots_with_all_that_is_ever_needed() -> None:
    offer = SessionDescription.parse(OFFER.sdp())
    assert [(media.kind, media.rtp.muxId) for media in offer.media] == [("audio", "a"), ("video", "v"), ("video", "s")]
    assert offer.group[0].items == ["a", "v", "s"]
    for slot, media in zip(SLOTS, offer.media, strict=True):
        assert media.ice.iceLite
        assert media.rtcp_mux
        assert media.direction == "sendrecv"
        assert media.ice.usernameFragment == "abcdefgh"
        assert [codec.payloadType for codec in media.rtp.codecs] == [
            payload for codec in slot.codecs for payload in (codec.payload, codec.rtx) if payload
        ]
        assert [(candidate.ip, candidate.port) for candidate in media.ice_candidates] == OFFER.candidates
        assert media.ice_candidates[0].priority > media.ice_candidates[1].priority
        assert media.ice_candidates_complete
        for extension in media.rtp.headerExtensions:
            assert EXTENSIONS[extension.id][0] == extension.uri
    feedback = {(entry.type, entry.parameter) for entry in offer.media[1].rtp.codecs[0].rtcpFeedback}
    assert feedback == {("nack", None), ("nack", "pli"), ("ccm", "fir"), ("goog-remb", None), ("transport-cc", None)}
    assert [group.items for group in offer.media[1].ssrc_group] == [[2, 3]]


def test_numbers_in_the_offer_are_the_same_for_everybody() -> None:
    """Payload types, extension ids and mids must be equal on both legs, or packets are misread."""
    other = Offer(9, 4, Ice("x" * 8, "y" * 32), FINGERPRINT, {111: 6, 96: 7, 97: 8, 98: 9, 99: 10}, [])
    keys = ("m=", "a=mid", "a=extmap", "a=rtpmap", "a=fmtp", "a=rtcp-fb", "a=group")

    def common(offer: Offer) -> list[str]:
        return [line for line in offer.sdp().splitlines() if line.startswith(keys)]

    assert common(OFFER) == common(other)


def test_with_tcp_each_address_is_offered_twice_and_udp_comes_first() -> None:
    lines = [line.split() for line in replace(OFFER, tcp=True).sdp().splitlines() if line.startswith("a=candidate")]
    section = lines[: len(lines) // len(SLOTS)]
    assert [(line[2], line[4], line[5]) for line in section] == [
        (protocol, address, "5000") for protocol in ("udp", "tcp") for address in ("192.0.2.1", "127.0.0.1")
    ]
    assert [" ".join(line[6:]) for line in section] == ["typ host"] * 2 + ["typ host tcptype passive"] * 2
    priorities = [int(line[3]) for line in section]
    assert priorities == sorted(priorities, reverse=True)
    assert len({line[0] for line in section}) == 4, "no foundation twice"
    assert " tcp " not in OFFER.sdp()


def test_pictures_come_as_vp8_or_h264_and_an_offer_may_leave_out_one() -> None:
    for media, first in zip(SessionDescription.parse(OFFER.sdp()).media[1:], (96, 98), strict=True):
        names = [(codec.payloadType, codec.name) for codec in media.rtp.codecs]
        assert names == [(first, "VP8"), (first + 1, "rtx"), (first + 4, "H264"), (first + 5, "rtx")]
        h264 = media.rtp.codecs[2]
        assert h264.parameters["profile-level-id"] == "42e01f"
        assert (h264.parameters["packetization-mode"], h264.parameters["level-asymmetry-allowed"]) == ("1", "1")
        assert media.rtp.codecs[3].parameters == {"apt": first + 4}
    less = SessionDescription.parse(replace(OFFER, offered=frozenset({111, 100, 98, 102})).sdp())
    assert [[codec.payloadType for codec in media.rtp.codecs] for media in less.media] == [
        [111],
        [100, 101],
        [98, 99, 102, 103],
    ]


def test_a_good_answer_is_understood() -> None:
    answer = parse_answer(ANSWER)
    assert answer.active
    assert answer.fingerprints == {"sha-256": FINGERPRINT}
    assert answer.payloads == {111, *range(96, 104)}


def test_the_browsers_credentials_are_read_where_they_are_good_for_a_check() -> None:
    assert parse_answer(ANSWER).ice == OFFER.ice
    lines = [line for line in ANSWER.split("\r\n") if not line.startswith("a=ice-ufrag")]
    assert parse_answer("\r\n".join(lines)).ice is None
    assert parse_answer(ANSWER.replace(OFFER.ice.password, "short")).ice is None


def test_line_ends_case_and_session_level_attributes_do_not_matter() -> None:
    lines = [line for line in ANSWER.split("\r\n") if not line.startswith(("a=fingerprint", "a=setup"))]
    lines.insert(4, f"a=fingerprint:SHA-256 {FINGERPRINT.lower()}")
    lines.insert(4, "a=setup:passive")
    answer = parse_answer("\n".join(lines))
    assert not answer.active
    assert answer.fingerprints == {"sha-256": FINGERPRINT}


def test_a_rejected_slot_and_a_refused_codec_are_not_sent() -> None:
    text = ANSWER.replace("SAVPF 98 99 102 103", "SAVPF 98 None 96 102")
    answer = parse_answer(text.replace("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 0 UDP/TLS/RTP/SAVPF 96"))
    assert answer.payloads == {111, 98, 102}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no session description"),
        ("hello", "no session description"),
        ("v=0\r\n", "three media sections"),
        (ANSWER[: ANSWER.rindex("m=")], "three media sections"),
        (ANSWER.replace("a=mid:s", "a=mid:x"), "not those of the offer"),
        (ANSWER.replace("m=audio 9", "m=audio 0").replace("m=video 9", "m=video 0"), "none of the offered codecs"),
        (ANSWER.replace("sha-256", "md5"), "names no certificate"),
        (ANSWER.replace(FINGERPRINT, "AB:CD"), "names no certificate"),
        (ANSWER.replace("active", "actpass"), "setup"),
        (ANSWER.replace("active", "passive", 1), "setup"),
    ],
)
def test_what_is_no_answer_to_the_offer_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadAnswer, match=reason):
        parse_answer(text)


@given(st.integers(0, len(ANSWER)), st.integers(0, 200), st.text(max_size=20))
def test_a_damaged_answer_is_understood_or_refused_and_nothing_else(at: int, length: int, junk: str) -> None:
    with contextlib.suppress(BadAnswer):
        parse_answer(ANSWER[:at] + junk + ANSWER[at + length :])
