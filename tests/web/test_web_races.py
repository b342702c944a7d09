"""Several web processes are asked for the same time, by their page or their API: exactly one books it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest

from benchmarks import races, races_web

ROUNDS = 3


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest) -> Iterator[races.Race]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/race.sqlite3"
        if request.param == "postgresql":
            url = request.getfixturevalue("postgres").create("race_web")
        with races.race(url, folder, rivals=4) as made:
            yield made
        if request.param == "postgresql":
            request.getfixturevalue("postgres").drop("race_web")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["page", "api"])
def test_exactly_one_wins(running: races.Race, name: str) -> None:
    assert races.PATHS["api"] is races_web.book
    for _ in range(ROUNDS):
        told, live = running.round(name)
        assert (told, live) == ({"won": 1, "lost": 3}, 1)
