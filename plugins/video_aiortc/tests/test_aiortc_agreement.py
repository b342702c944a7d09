"""Two sides agree on codecs that both can show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpouts_video_aiortc.agreement import ALL, Side, agree

VP8, H264, SCREEN_VP8, SCREEN_H264, OPUS = 96, 100, 98, 102, 111
BOTH = Side(ALL, ALL)
ONLY_H264 = Side(frozenset({OPUS, H264, SCREEN_H264}), frozenset({OPUS, H264, SCREEN_H264}))
ONLY_VP8 = Side(frozenset({OPUS, VP8, SCREEN_VP8}), frozenset({OPUS, VP8, SCREEN_VP8}))


@pytest.mark.parametrize(("one", "other"), [(BOTH, BOTH), (BOTH, ONLY_VP8), (ONLY_VP8, ONLY_VP8)])
def test_where_each_shows_what_the_other_prefers_nothing_is_to_be_done(one: Side, other: Side) -> None:
    assert agree(one, other) is None
    assert agree(other, one) is None


def test_who_can_do_more_is_offered_less() -> None:
    expected = frozenset({OPUS, H264, SCREEN_H264})
    assert agree(BOTH, ONLY_H264) == agree(ONLY_H264, BOTH) == expected
    assert agree(Side(ALL, expected, expected), replace(ONLY_H264, offered=expected)) is None, "and is then at peace"


def test_two_that_refused_the_first_codec_are_not_offered_it_again() -> None:
    """Chromium sends the first of the offer, whatever it has answered."""
    assert agree(ONLY_H264, ONLY_H264) == frozenset({OPUS, H264, SCREEN_H264})


def test_slots_are_settled_one_by_one() -> None:
    mixed = frozenset({OPUS, VP8, H264, SCREEN_H264})
    assert agree(BOTH, Side(mixed, mixed)) == mixed


def test_nothing_in_common_leaves_the_rest_alone() -> None:
    assert agree(ONLY_VP8, ONLY_H264) is None
    sound = Side(frozenset({OPUS}), frozenset({OPUS}))
    assert agree(BOTH, sound) is None


def test_somebody_new_widens_again_what_the_one_before_had_narrowed() -> None:
    less = frozenset({OPUS, H264, SCREEN_H264})
    narrowed = Side(ALL, less, less)
    assert agree(narrowed, BOTH) == ALL
    assert agree(narrowed, ONLY_VP8) == frozenset({OPUS, VP8, SCREEN_VP8})
