"""The film of a call: what both showed and said is where and when it was, whatever the network did."""

from __future__ import annotations

import json
import multiprocessing
import re
import struct
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import helpouts_video_aiortc
from helpouts_video_aiortc.dump import entries, entry
from helpouts_video_aiortc.film import convert, rtp
from helpouts_video_aiortc.film.timing import SenderClock, StreamClock
from made_calls import BEGIN, Camera, Packets, blocks, heard_by_ffmpeg, seen_by_ffmpeg

from helpouts.sessions import converting

EXACT = 0.1
"""Seconds by which sound, picture and the truth may differ."""
SHOWN = {"1": ((2.0, 6.0, 12.0), 600.0), "2": ((3.0, 9.0, 13.0), 1800.0)}


def near(found: list[float], expected: tuple[float, ...]) -> None:
    assert len(found) == len(expected), (found, expected)
    assert all(abs(a - b) <= EXACT for a, b in zip(found, expected, strict=True)), (found, expected)


def made() -> dict[str, Packets]:
    """Loss that is repeated, loss that is not, disorder, two clocks; and one who goes and comes again."""
    first = Camera(SHOWN["1"][0], SHOWN["1"][1], lost=frozenset(range(40, 400, 37)), gone=frozenset({190}),
                   key_at=frozenset({200}), jitter=0.06, size=(160, 120))  # fmt: skip
    second = Camera(SHOWN["2"][0], SHOWN["2"][1], clock_off=-77, seed=2, size=(120, 160), fps=20)
    return {"1": first.packets(0, 15), "2": second.packets(0.5, 7) + second.packets(8.5, 15)}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made as the worker makes it, in a process of its own."""
    target = tmp_path_factory.mktemp("film") / "film.webm"
    record = next(iter(helpouts_video_aiortc.helpouts_video_transports()))
    assert record.convert is not None
    with target.open("w+b") as file:
        converting.run(record.convert, blocks(made()), ["1", "2"], file)
    return target


@pytest.mark.parametrize(("side", "name"), [(0, "1"), (1, "2")])
def test_flash_and_beep_of_both_sides_are_where_they_were(film: Path, side: int, name: str) -> None:
    instants, tone = SHOWN[name]
    near(seen_by_ffmpeg(str(film), side), instants)
    near(heard_by_ffmpeg(str(film), tone), instants)


def test_another_reader_finds_a_whole_file_that_can_be_searched(film: Path) -> None:
    asked = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(film)]
    found: dict[str, Any] = json.loads(subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout)
    assert [stream["codec_name"] for stream in found["streams"]] == ["vp8", "opus"]
    assert abs(float(found["format"]["duration"]) - 15) < 0.2
    assert (found["streams"][0]["color_space"], found["streams"][0]["color_range"]) == ("smpte170m", "tv")
    complaints = subprocess.run(
        ["ffmpeg", "-v", "warning", "-i", str(film), "-f", "null", "-"], capture_output=True, check=True, timeout=60
    )
    assert complaints.stderr == b""
    data = film.read_bytes()
    assert -1 < data.find(b"\x1c\x53\xbb\x6b") < data.find(b"\x1f\x43\xb6\x75"), "cues before the first cluster"


def test_pyav_goes_to_the_middle_and_decodes_from_there(film: Path) -> None:
    with av.open(str(film)) as container:
        container.seek(10_000_000)
        frame = next(container.decode(video=0))
        assert 4.5 <= float(frame.time or 0) <= 10.1
        assert (frame.width, frame.height) == (1280, 720)


def test_without_any_sender_report_arrival_keeps_them_together(tmp_path: Path) -> None:
    camera = Camera((1.0, 3.0), 600, reports=False, size=(160, 120))
    convert(blocks({"1": camera.packets(0, 4)}), ["1", "2"], tmp_path / "film.webm")
    near(seen_by_ffmpeg(str(tmp_path / "film.webm"), 0), (1.0, 3.0))
    near(heard_by_ffmpeg(str(tmp_path / "film.webm"), 600), (1.0, 3.0))


def test_a_shared_screen_takes_the_large_place(tmp_path: Path) -> None:
    camera = Camera((), 600, size=(160, 120), sound=False)
    screen = Camera((2.0,), 600, size=(320, 180), video=(98, 99), fps=10, seed=5, sound=False)
    sides = {
        "1": sorted(camera.packets(0, 4) + screen.packets(1, 4)),
        "2": Camera((), 900, size=(160, 120)).packets(0, 4),
    }
    convert(blocks(sides), ["1", "2"], tmp_path / "film.webm")
    near(seen_by_ffmpeg(str(tmp_path / "film.webm"), 0), (2.0,))


def test_a_picture_that_changes_its_size_goes_on(tmp_path: Path) -> None:
    small, large = (
        Camera((1.0, 3.5), 600, size=(160, 120)),
        Camera((1.0, 3.5), 600, size=(320, 240), seed=3, sound=False),
    )
    one_source: Packets = small.packets(0, 2)
    ssrc = next(packet[8:12] for _, packet in one_source if packet[1] & 0x7F == 96)
    last = max(int.from_bytes(packet[2:4]) for _, packet in one_source if packet[8:12] == ssrc)
    stamp = max(int.from_bytes(packet[4:8]) for _, packet in one_source if packet[8:12] == ssrc and packet[1] != 200)
    larger = [(at, packet) for at, packet in large.packets(2, 4.5) if packet[1] & 0x7F == 96]
    base_number, base_stamp = int.from_bytes(larger[0][1][2:4]), min(int.from_bytes(p[4:8]) for _, p in larger)
    for at, packet in larger:
        number = (int.from_bytes(packet[2:4]) - base_number + last + 1) & 0xFFFF
        moved = (int.from_bytes(packet[4:8]) - base_stamp + stamp + 3600) & 0xFFFFFFFF
        one_source.append((at, packet[:2] + struct.pack("!HI", number, moved) + ssrc + packet[12:]))
    convert(blocks({"1": sorted(one_source)}), ["1", "2"], tmp_path / "film.webm")
    near(seen_by_ffmpeg(str(tmp_path / "film.webm"), 0), (1.0, 3.5))


@pytest.mark.parametrize(
    "junk",
    [b"\x80", b"\x80\x60" + b"\0" * 10, b"\x9f\xe0" + b"\xff" * 40, b"\x80\xc8" + b"\xff" * 60,
     b"\xb0\x61" + b"\0" * 40,
     b"\x80\xe0\0\1\0\0\0\1\0\0\0\1\x90\xff\xff\xff\xff", b"\x80\x6f\0\1\0\0\0\1\0\0\0\1" + b"\xff" * 300],
)  # fmt: skip
def test_what_nobody_should_send_spoils_nothing(tmp_path: Path, junk: bytes) -> None:
    packets = Camera((1.0,), 600, size=(160, 120)).packets(0, 2)
    packets += [(BEGIN + at / 50, junk) for at in range(100)]
    convert(blocks({"1": sorted(packets)}), ["1", "2"], tmp_path / "film.webm")
    near(seen_by_ffmpeg(str(tmp_path / "film.webm"), 0), (1.0,))


def test_nothing_at_all_is_an_error_and_reaches_who_asked(tmp_path: Path) -> None:
    with (
        (tmp_path / "film.webm").open("w+b") as file,
        pytest.raises(converting.ConversionFailed, match="no packets"),
    ):
        converting.run(helpouts_video_aiortc.convert, [], ["1", "2"], file)


def _most_memory(packets: Packets, target: Path) -> int:
    """Kilobytes that this process has ever had at once, after making a film; ``ru_maxrss`` knows its parent's too."""
    convert(blocks({"1": packets}), ["1", "2"], target)
    return int(re.findall(r"(?m)^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text())[0])


def test_pictures_of_absurd_size_are_not_decoded(tmp_path: Path) -> None:
    packets = Camera((), 600, size=(160, 120)).packets(0, 1)
    key = struct.pack("<I", 400 << 5 | 0x10)[:3] + b"\x9d\x01\x2a" + struct.pack("<HH", 15000, 15000) + b"\0" * 500
    head = struct.pack("!BBHII", 0x80, 96 | 0x80, 1, 1, 77)
    packets = sorted([*packets, (BEGIN + 0.5, head + b"\x10" + key)])
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        assert alone.submit(_most_memory, packets, tmp_path / "film.webm").result() < 300_000


@pytest.mark.parametrize("size", [(160, 120), (640, 480)])
def test_a_call_in_h264_becomes_a_film_as_well(tmp_path: Path, size: tuple[int, int]) -> None:
    camera = Camera((1.0, 3.0), 600, size=size, video=(100, 101), lost=frozenset({5, 30}), codec="libx264")
    convert(blocks({"1": camera.packets(0, 4)}), ["1", "2"], tmp_path / "film.webm")
    near(seen_by_ffmpeg(str(tmp_path / "film.webm"), 0), (1.0, 3.0))
    near(heard_by_ffmpeg(str(tmp_path / "film.webm"), 600), (1.0, 3.0))


def test_entries_come_out_as_they_went_in_and_what_is_cut_off_is_left_out() -> None:
    kept = entry(1.5, b"one") + entry(2.5, b"") + entry(3.5, b"three")
    assert list(entries(kept)) == [(1.5, b"one"), (2.5, b""), (3.5, b"three")]
    assert list(entries(kept[:-1])) == [(1.5, b"one"), (2.5, b"")]


def test_a_retransmission_is_the_packet_it_repeats() -> None:
    sent = rtp.parse(struct.pack("!BBHII", 0x80, 96 | 0x80, 7, 900, 1) + b"\x10payload")
    again = rtp.parse(struct.pack("!BBHII", 0x80, 97 | 0x80, 40, 900, 2) + b"\0\7" + b"\x10payload")
    assert sent is not None
    assert again is not None
    assert rtp.repeated(again, 1) == sent


def test_a_telephone_held_upright_is_noticed() -> None:
    extension = struct.pack("!HH", 0xBEDE, 1) + bytes([0x60, 0x01, 0, 0])
    found = rtp.parse(struct.pack("!BBHII", 0x90, 96, 7, 900, 1) + extension + b"x")
    assert found is not None
    assert (found.turned, found.payload) == (1, b"x")


def test_timestamps_wrap_around_without_a_jump() -> None:
    sender = SenderClock()
    clock = StreamClock(90000, sender)
    clock.report(500.0, 2**32 - 90000)
    clock.heard(2**32 - 90000, 1000.0)
    assert clock.when(90000, 1002.0) == pytest.approx(1002.0)


def test_a_sender_whose_reports_are_nonsense_is_placed_by_arrival() -> None:
    sender = SenderClock()
    clock = StreamClock(48000, sender)
    clock.heard(0, 1000.0)
    clock.report(500.0, 48000 * 3600)
    clock.heard(960, 1000.02)
    sender.heard(0.0, 5.0)
    assert clock.when(960, 1000.02) == pytest.approx(1000.02)
