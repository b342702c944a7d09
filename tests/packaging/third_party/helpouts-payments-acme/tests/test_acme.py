"""Acme keeps the contract of a payment backend."""

from __future__ import annotations

import acme_pay
import pytest

from helpouts.runtime import Runtime
from helpouts.testing.money import World
from helpouts.testing.payments import Case, PaymentBackendContract


class TestAcme(PaymentBackendContract):
    @pytest.fixture
    def case(self, runtime: Runtime) -> Case:
        """A site whose bookings are paid with Acme."""
        assert runtime.registry.add("payments_acme", lambda: acme_pay).loaded
        site = Runtime(runtime.config.replace(payment_backend="acme"), runtime.database, runtime.registry)
        return Case(site, "acme", World(site))
