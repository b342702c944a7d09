"""The conformance suite of payment backends, for their authors to subclass.

A test module defines a subclass of :class:`PaymentBackendContract` with a fixture ``case``::

    class TestMine(PaymentBackendContract):
        @pytest.fixture
        def case(self, runtime):
            return Case(runtime, "mine", World(runtime))

The checks drive the backend through the core's services, as bookings do, and directly where the contract says what a
call must refuse.  After each of them every invariant of the ledger holds.
"""

from __future__ import annotations

from helpouts.testing.payments.called import CalledChecks
from helpouts.testing.payments.case import Case
from helpouts.testing.payments.declared import DeclaredChecks
from helpouts.testing.payments.held import CapturedChecks, HeldChecks
from helpouts.testing.payments.refunded import RefundedChecks
from helpouts.testing.psp import DummyBackend

__all__ = ["Case", "DummyBackend", "PaymentBackendContract"]


class PaymentBackendContract(CalledChecks, RefundedChecks, CapturedChecks, HeldChecks, DeclaredChecks):
    """What every payment backend does.  Subclass it and give it a fixture ``case``."""
