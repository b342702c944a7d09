"""The wallet alone, and a world in which both people are set up for it."""

from __future__ import annotations

import pytest
from helpouts_payments_wallet.service import connect_payee, connect_payer

from helpouts.runtime import Runtime
from helpouts.testing.money import World


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    return (("payments_wallet", "helpouts_payments_wallet"),)


@pytest.fixture
def world(runtime: Runtime) -> World:
    """Both people have accepted the terms; the wallet is empty."""
    made = World(runtime)
    with runtime.database.write() as db:
        connect_payer(db, made.customer_id, made.customer)
        connect_payee(db, made.expert_id, "Erik Expert", "DE", "", made.expert)
    return made
