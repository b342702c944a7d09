"""Some seconds of nonsense while two people talk; ``python -m benchmarks.fuzz_live`` goes on longer."""

from __future__ import annotations

import logging

import pytest
from aiohttp.http_exceptions import BadHttpMessage

from benchmarks.fuzz_live import fuzz
from helpouts.live.server import _is_ours


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_nonsense_ends_nothing_leaves_nothing_and_costs_the_two_in_their_room_no_line():
    for _attempt in range(3):
        report = await fuzz(seed=4, seconds=5)
        if report.stalled < 3:  # on a machine that stops us for longer the two do not ping, and are shown out rightly
            break
    assert report.problems == []
    assert len(report.sent) == 7, "every kind had its turn"


@pytest.mark.parametrize(
    ("error", "logged"),
    [(BadHttpMessage("no host"), False), (ConnectionResetError(), False), (KeyError("x"), True), (None, True)],
)
def test_a_stranger_who_speaks_no_http_fills_no_log(error, logged):
    caught = (type(error), error, None) if error else None
    record = logging.LogRecord("aiohttp.server", logging.ERROR, __file__, 1, "Error handling request", (), caught)
    assert _is_ours(record) is logged
