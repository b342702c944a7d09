"""The money of a booking from the hold to the last refund, on both databases."""

from __future__ import annotations

from helpouts.payments import service
from helpouts.payments.ledger import balance
from helpouts.testing.money import World


def test_a_fixed_session_pays_the_expert_the_fee_and_nothing_else(world: World) -> None:
    with world.runtime.database.write() as db:
        booking = world.booking(db, 2500)
        payment = service.hold_for_booking(db, booking, world.customer)
        assert payment.state == "held"
        assert balance(db, f"escrow:{booking.id}", "EUR") == 2500
        service.settle_booking(db, booking, 1700, world.operator)
        assert payment.state == "captured"
        assert balance(db, f"wallet:{world.customer_id}", "EUR") == 7500
        assert balance(db, f"earn_pending:{world.expert_id}", "EUR") == 2000
        assert balance(db, "revenue:fee", "EUR") == 500
        assert balance(db, f"escrow:{booking.id}", "EUR") == 0
