"""Random lives of payments against a model in decimals; every invariant is checked after every step.

The machine starts with funded wallets, a held and two captured payments, one of them half refunded, so that short
runs reach the interesting states.  Planted mistakes show that it can fail.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from importlib import import_module
from typing import Any

import pytest
from helpouts_payments_wallet.models import metadata as wallet_metadata
from helpouts_payments_wallet.service import connect_payer
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from helpouts.audit.actor import SYSTEM
from helpouts.bookings.models import Booking
from helpouts.config import load_config
from helpouts.db import Database
from helpouts.db.metadata import metadata
from helpouts.payments import PaymentError, effects, ledger, rounding, service
from helpouts.payments.ledger import balance
from helpouts.payments.models import Payment, Payout
from helpouts.payments.payouts import fail_payout, finish_payout, request_payout
from helpouts.payments.verify import violations
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.testing.money import World

FUNDS = 50_000


@pytest.fixture(scope="module")
def memory_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in memory; each run of the machine is one transaction that is rolled back."""
    database = Database("sqlite://")
    with database.write_engine.begin() as connection:
        metadata.create_all(connection)
        wallet_metadata.create_all(connection)
    registry = Registry()
    registry.add("payments_wallet", lambda: import_module("helpouts_payments_wallet"), "tests", "0")
    world = World(Runtime(load_config({}, data=str(tmp_path_factory.mktemp("data"))), database, registry))
    with database.write() as db:
        connect_payer(db, world.customer_id, world.customer)
    yield world
    database.dispose()


@dataclass
class Expected:
    """What the model thinks of one payment."""

    booking: Booking
    held: int
    captured: int = 0
    refunded: int = 0
    closed: bool = False

    @property
    def fee(self) -> int:
        return whole(Decimal(self.captured) * self.booking.fee_bp / 10_000)


def whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))


def machine(world: World) -> type[RuleBasedStateMachine]:
    """The state machine over this world."""

    class Money(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.db = world.runtime.database.session(write=True)
            self.payments: list[Expected] = []
            self.funded = 0
            self.payouts: list[Payout] = []
            self.keys = itertools.count()

        def teardown(self) -> None:
            self.db.rollback()
            self.db.close()

        @initialize()
        def start_in_the_middle(self) -> None:
            self.top_up(FUNDS)
            # 12.5 % of 9.96 is half a cent over a whole one: the way of rounding shows.
            for price, bp in ((996, 1250), (999, 2000), (999, 2750)):
                self.hold(price, bp)
            self.settle(0, 60)
            self.settle(0, 60)
            self.refund(0, 50)
            for _ in range(3):  # 9 of 999 each: the third slice of the fee is smaller than the others
                self.refund(1, 1)
            self.hold_per_minute(100, 30)
            self.settle(1, 95)

        # -- helpers -----------------------------------------------------------------------------------------

        def attempt(self, work: Callable[[], Any]) -> bool:
            try:
                with self.db.begin_nested():
                    work()
            except PaymentError:
                return False
            return True

        def payment(self, expected: Expected) -> Payment:
            found = service.payment_of(self.db, expected.booking.id)
            assert found is not None
            return found

        def wallet(self) -> int:
            return balance(self.db, f"wallet:{world.customer_id}", "EUR")

        def closed(self, which: int) -> Expected | None:
            found = [p for p in self.payments if p.captured]
            return found[which % len(found)] if found else None

        # -- rules -------------------------------------------------------------------------------------------

        @rule(amount=st.integers(1, 5000))
        def top_up(self, amount: int) -> None:
            world.fund(self.db, amount)
            self.funded += amount

        @rule(price=st.integers(1, 20_000), bp=st.sampled_from([0, 1, 1250, 1500, 2000, 2750, 9999, 10_000]))
        def hold(self, price: int, bp: int) -> None:
            before = self.wallet()
            booking = world.booking(self.db, price, fee_bp=bp)
            there = self.attempt(lambda: service.hold_for_booking(self.db, booking, world.customer))
            assert there == (before >= price)
            if there:
                self.payments.append(Expected(booking, price))

        @rule(rate=st.integers(1, 300), minutes=st.integers(5, 60))
        def hold_per_minute(self, rate: int, minutes: int) -> None:
            booking = world.booking(self.db, rate * minutes, pricing="per_minute", price_minor=rate)
            if self.attempt(lambda: service.hold_for_booking(self.db, booking, world.customer)):
                self.payments.append(Expected(booking, rate * minutes))

        @precondition(lambda self: any(not p.closed for p in self.payments))
        @rule(which=st.integers(0, 50), seconds=st.integers(0, 4000))
        def settle(self, which: int, seconds: int) -> None:
            still = [p for p in self.payments if not p.closed]
            expected = still[which % len(still)]
            booking = expected.booking
            cost = booking.price_minor
            if booking.pricing == "per_minute":
                cost = min(expected.held, whole(Decimal(booking.price_minor) * seconds / 60))
            service.settle_booking(self.db, booking, seconds, SYSTEM)
            expected.captured, expected.closed = cost, True

        @precondition(lambda self: any(not p.closed for p in self.payments))
        @rule(which=st.integers(0, 50), charge=st.integers(-5, 25_000))
        def release(self, which: int, charge: int) -> None:
            still = [p for p in self.payments if not p.closed]
            expected = still[which % len(still)]
            service.release_booking(self.db, expected.booking, charge, world.customer)
            expected.captured, expected.closed = max(0, min(charge, expected.held)), True

        @precondition(lambda self: any(p.closed for p in self.payments))
        @rule(which=st.integers(0, 50), seconds=st.integers(0, 4000))
        def close_again(self, which: int, seconds: int) -> None:
            over = [p for p in self.payments if p.closed]
            service.settle_booking(self.db, over[which % len(over)].booking, seconds, SYSTEM)
            service.release_booking(self.db, over[which % len(over)].booking, 0, SYSTEM)

        @rule(which=st.integers(0, 50), percent=st.integers(1, 130))
        def refund(self, which: int, percent: int) -> None:
            expected = self.closed(which)
            if expected is None:
                return
            amount = max(1, expected.captured * percent // 100)
            possible = amount <= expected.captured - expected.refunded
            payment = self.payment(expected)
            assert self.attempt(lambda: service.refund(self.db, payment, amount, "", world.operator)) == possible
            expected.refunded += amount if possible else 0

        @rule(which=st.integers(0, 50))
        def refund_the_rest(self, which: int) -> None:
            expected = self.closed(which)
            if expected is not None and expected.captured > expected.refunded:
                rest = expected.captured - expected.refunded
                service.refund(self.db, self.payment(expected), rest, "", world.operator)
                expected.refunded = expected.captured

        @rule(which=st.integers(0, 50))
        def mature(self, which: int) -> None:
            expected = self.closed(which)
            if expected is not None:
                assert service.mature(self.db, self.payment(expected))

        @rule(percent=st.integers(1, 150))
        def pay_out(self, percent: int) -> None:
            there = balance(self.db, f"earn_avail:{world.expert_id}", "EUR")
            amount = max(1, there * percent // 100)
            key = str(next(self.keys))
            asked: list[Payout] = []
            good = self.attempt(
                lambda: asked.append(request_payout(self.db, world.expert_id, amount, "EUR", key, world.expert))
            )
            assert good == (amount <= there)
            self.payouts += asked if good else []

        @precondition(lambda self: self.payouts)
        @rule(arrives=st.booleans())
        def answer_of_the_bank(self, arrives: bool) -> None:
            payout = self.payouts.pop()
            if arrives:
                finish_payout(self.db, payout, SYSTEM)
            else:
                fail_payout(self.db, payout, "no such account", SYSTEM)

        # -- what always holds -------------------------------------------------------------------------------

        @invariant()
        def the_books_balance(self) -> None:
            self.db.flush()
            assert violations(self.db) == ()

        @invariant()
        def the_customer_has_what_the_model_says(self) -> None:
            out = sum(p.captured - p.refunded if p.closed else p.held for p in self.payments)
            assert self.wallet() == self.funded - out

        @invariant()
        def each_payment_is_what_the_model_says(self) -> None:
            for expected in self.payments:
                payment = self.payment(expected)
                assert (payment.captured_minor, payment.refunded_minor) == (expected.captured, expected.refunded)
                assert payment.fee_minor == expected.fee

    return Money


PROFILE = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def test_every_life_of_the_money_keeps_the_books(memory_world: World) -> None:
    run_state_machine_as_test(machine(memory_world), settings=PROFILE)


MISTAKES: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "the fee is rounded down": (rounding, "fee", lambda gross, bp: gross * bp // 10_000),
    "the fee is rounded half up": (rounding, "fee", lambda gross, bp: (2 * gross * bp + 10_000) // 20_000),
    "each slice of a refund is rounded by itself": (
        rounding,
        "slice_of",
        lambda part, total, before, size: rounding.half_even(part * size, total) if total else 0,
    ),
    "a minute that has begun is charged": (
        rounding,
        "prorate",
        lambda price, seconds, per, most: min(most, price * -(-seconds // per)),
    ),
    "the wallet may be overdrawn": (ledger, "_short", lambda accounts, lines: None),
    "the refund comes out of the fee alone": (
        effects,
        "refund_lines",
        lambda db, payment, amount: (
            [ledger.Line("revenue:fee", payment.funding, amount, payment.currency)],
            rounding.slice_of(payment.fee_minor, payment.captured_minor, payment.refunded_minor, amount),
            0,
        ),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(memory_world: World, monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    module, name, wrong = MISTAKES[mistake]
    monkeypatch.setattr(module, name, wrong)
    # Whatever shows it: the model, an invariant, or the database's own constraints.
    with pytest.raises(Exception):  # noqa: B017  # see above
        run_state_machine_as_test(machine(memory_world), settings=settings(PROFILE, phases=(Phase.generate,)))
