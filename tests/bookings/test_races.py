"""Of several processes that want the same time at the same moment exactly one gets it.

Every path: the services, the page, the API and the wait-list.  A few rounds each;
``python -m benchmarks.races`` runs a hundred.
"""

from __future__ import annotations

import tempfile

import pytest

from benchmarks import races, races_waiting, races_web

ROUNDS = 3
assert {races_waiting.offer, races_web.send, races_web.book} <= set(races.PATHS.values())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request):
    """Six rivals over a database of their own, for all paths."""
    with tempfile.TemporaryDirectory() as folder:
        if request.param == "sqlite":
            url = f"sqlite:///{folder}/race.sqlite3"
        else:
            url = request.getfixturevalue("postgres").create("race")
        with races.race(url, folder, rivals=6) as made:
            yield made
        if request.param == "postgresql":
            request.getfixturevalue("postgres").drop("race")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(races.PATHS))
def test_exactly_one_wins(running, name):
    for _ in range(ROUNDS):
        told, live = running.round(name)
        assert (told, live) == ({"won": 1, "lost": 5}, 1)
