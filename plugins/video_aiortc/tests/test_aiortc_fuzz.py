"""Some seconds of broken input while a call runs; ``python -m benchmarks.fuzz_relay`` goes on longer."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_relay import fuzz


@pytest.mark.timeout(120)
async def test_broken_input_ends_nothing_leaves_nothing_and_costs_the_call_no_packet() -> None:
    report = await fuzz(seed=4, seconds=5)
    assert report.problems == []
    assert len(report.sent) == 9, "every kind had its turn"
    assert report.delivered[0] > 100
