"""The payment company in memory is a payment backend: what is called by jobs passes the same suite."""

from __future__ import annotations

import pytest

from helpouts.runtime import Runtime
from helpouts.testing.money import World
from helpouts.testing.payments import Case, PaymentBackendContract


class TestDummy(PaymentBackendContract):
    @pytest.fixture
    def case(self, dummy_runtime: Runtime) -> Case:
        return Case(dummy_runtime, "dummy", World(dummy_runtime))
