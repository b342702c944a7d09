"""What the tests of money share: the wallet alone, worlds with money, a company in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from helpouts_payments_wallet.service import connect_payer

from helpouts.hookspecs import hookimpl
from helpouts.payments.verify import violations
from helpouts.runtime import Runtime
from helpouts.testing.money import World
from helpouts.testing.psp import DummyBackend


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    """Only the wallet: money needs nothing else."""
    return (("payments_wallet", "helpouts_payments_wallet"),)


@pytest.fixture
def world(runtime: Runtime) -> Iterator[World]:
    """A customer with 100.00 EUR in the wallet, and an expert; after the test every invariant holds."""
    made = World(runtime)
    with runtime.database.write() as db:
        connect_payer(db, made.customer_id, made.customer)
        made.fund(db, 10_000)
    yield made
    with runtime.database.read() as db:
        assert violations(db) == ()


class DummyPlugin:
    """A plugin that brings the company in memory."""

    def __init__(self) -> None:
        self.backend = DummyBackend()

    @hookimpl
    def helpouts_payment_backends(self) -> tuple[DummyBackend, ...]:
        return (self.backend,)


@pytest.fixture
def dummy_runtime(runtime: Runtime) -> Iterator[Runtime]:
    """A runtime whose bookings are paid through the company in memory; the books balance at the end."""
    plugin = DummyPlugin()
    runtime.registry.add("payments_dummy", lambda: plugin, "tests", "0")
    yield replace(runtime, config=runtime.config.replace(payment_backend="dummy"))
    with runtime.database.read() as db:
        assert violations(db) == ()


@pytest.fixture
def dummy(dummy_runtime: Runtime) -> DummyBackend:
    """The backend of :func:`dummy_runtime`: its company's books, and its faults."""
    backend = dummy_runtime.registry.payment_backend("dummy")
    assert isinstance(backend, DummyBackend)
    return backend
