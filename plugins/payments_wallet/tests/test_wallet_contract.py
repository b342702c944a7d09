"""The wallet is a payment backend."""

from __future__ import annotations

import pytest

from helpouts.plugins.service import write_settings
from helpouts.runtime import Runtime
from helpouts.testing.money import World
from helpouts.testing.payments import Case, PaymentBackendContract


class TestWallet(PaymentBackendContract):
    @pytest.fixture
    def case(self, runtime: Runtime, world: World) -> Case:
        with runtime.database.write() as db:
            write_settings(db, "payments_wallet", {"currencies": ["EUR", "JPY", "KWD"]}, world.operator)
        return Case(runtime, "wallet", world, fund=lambda db, code, minor: world.fund(db, minor, code), poor=True)
