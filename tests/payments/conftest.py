"""A small world for the tests of money: two people who are set up for the wallet, and bookings at will."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpouts.payments.verify import violations
from helpouts.runtime import Runtime
from helpouts.testing.payments import World


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    """Only the wallet: money needs nothing else."""
    return (("payments_wallet", "helpouts_payments_wallet"),)


@pytest.fixture
def world(runtime: Runtime) -> Iterator[World]:
    """A customer with an empty wallet and an expert; after the test every invariant holds."""
    yield World(runtime)
    with runtime.database.read() as db:
        assert violations(db) == ()
