"""Whatever people do with a package, in whichever order: money adds up, and every rule of the books holds."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.errors import Conflict
from helpouts.packages import service
from helpouts.packages.models import Package
from helpouts.payments import Declined
from helpouts.payments import service as money
from helpouts.payments.ledger import balance
from helpouts.payments.verify import violations
from helpouts.runtime import Runtime

from .conftest import EACH, FUNDS, SESSIONS, Shop

STEPS = ("buy", "book", "cancel", "settle", "refund", "back")


class Life:
    """A package with its bookings beside what is expected of them: sessions left, and money in the wallet."""

    funds = FUNDS + SESSIONS * EACH

    def __init__(self, db: Session, shop: Shop) -> None:
        self.db, self.shop, self.wallet = db, shop, self.funds
        self.packages: list[Package] = []
        self.left: list[int] = []
        self.open: list[tuple[int, Booking]] = []
        self.done: list[tuple[int, Any]] = []
        self.numbers = itertools.count()

    def buy(self) -> None:
        if self.wallet < SESSIONS * EACH:
            with pytest.raises(Declined), self.db.begin_nested():
                self.shop.buy(self.db, f"key {next(self.numbers)}")
            return
        self.packages.append(self.shop.buy(self.db, f"key {next(self.numbers)}"))
        self.left.append(SESSIONS)
        self.wallet -= SESSIONS * EACH

    def book(self) -> None:
        held = self.shop.held(self.db, next(self.numbers))
        for which, package in enumerate(self.packages):
            if self.left[which]:
                service.pay(self.db, package, [held], self.shop.buyer)
                self.left[which] -= 1
                self.open.append((which, held))
                return
            with pytest.raises(Conflict):
                service.pay(self.db, package, [held], self.shop.buyer)

    def cancel(self) -> None:
        if self.open:
            which, booking = self.open.pop()
            bookings.cancel(self.db, booking, "", self.shop.seller)
            self.left[which] += 1

    def settle(self) -> None:
        if self.open:
            which, booking = self.open.pop(0)
            self.done.append((which, money.settle_booking(self.db, booking, 3600, SYSTEM)))

    def refund(self) -> None:
        if self.done:
            which, payment = self.done.pop()
            money.refund(self.db, payment, EACH, "", Actor("operator", None, "operator"))
            self.left[which] += 1

    def back(self) -> None:
        for which, package in enumerate(self.packages):
            assert service.give_back(self.db, package, self.shop.buyer) == self.left[which] * EACH
            self.wallet += self.left[which] * EACH
            self.left[which] = 0

    def check(self) -> None:
        self.db.flush()
        assert violations(self.db) == ()
        assert self.shop.wallet(self.db) == self.wallet
        assert [balance(self.db, one.account, "EUR") for one in self.packages] == [n * EACH for n in self.left]
        earned = sum(payment.captured_minor - payment.refunded_minor for _which, payment in self.done)
        held = len(self.open) * EACH
        assert self.wallet + sum(self.left) * EACH + held + earned == self.funds


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=6, max_size=14))
def test_money_adds_up_after_every_step(runtime: Runtime, shop: Shop, steps: list[str]) -> None:
    with runtime.database.session(write=True) as db:
        money.top_up(db, shop.customer, SESSIONS * EACH, "EUR", source="psp:test", key="more")
        life = Life(db, shop)
        for step in ("buy", "book", *steps):
            getattr(life, step)()
            life.check()
        db.rollback()
