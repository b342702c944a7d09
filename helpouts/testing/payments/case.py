"""What the suite needs to know of a backend, and what it does with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.jobs.worker import Worker
from helpouts.payments import PaymentBackend, PaymentContext, PaymentView, Snapshot, access, service
from helpouts.payments.ledger import balance
from helpouts.payments.models import Payment
from helpouts.runtime import Runtime
from helpouts.testing.money import World


def _nothing(_db: Session, _currency: str, _minor: int) -> None:
    """Nothing to prepare."""


@dataclass
class Case:
    """What the suite needs to know of a backend.

    :param fund: ``fund(db, currency, minor)`` gives the world's customer that much to spend; committed.
    :param poor: whether a customer without money is declined (a wallet), rather than asked for a card.
    """

    runtime: Runtime
    name: str
    world: World
    fund: Callable[[Session, str, int], None] = _nothing
    poor: bool = False
    bookings: dict[int, int] = field(default_factory=dict)

    @property
    def backend(self) -> PaymentBackend:
        """The backend under test."""
        return self.runtime.registry.payment_backend(self.name)

    def context(self, db: Session) -> PaymentContext:
        """What the core would lend to a call."""
        return access.context(db, self.backend)

    def hold(self, minor: int = 2500, currency: str = "EUR", *, fund: bool = True, **booking: object) -> int:
        """Book something and hold its price; returns the booking's id."""
        with self.runtime.database.write() as db:
            if fund:
                self.fund(db, currency, minor)
            booked = self.world.booking(db, minor, currency=currency, **booking)  # type: ignore[arg-type]  # passed on
            booking_id = booked.id
        self.do(lambda db: service.hold_for_booking(db, db.get_one(Booking, booking_id), self.world.customer))
        return booking_id

    def do(self, work: Callable[[Session], object]) -> None:
        """Run ``work`` in a transaction, then the jobs that it promised."""
        self.runtime.database.run(work)
        Worker(self.runtime).drain()

    def settle(self, booking_id: int, seconds: int = 1800) -> None:
        """End the session."""
        self.do(lambda db: service.settle_booking(db, db.get_one(Booking, booking_id), seconds, self.world.operator))

    def release(self, booking_id: int, charge: int = 0) -> None:
        """Cancel the booking."""
        self.do(lambda db: service.release_booking(db, db.get_one(Booking, booking_id), charge, self.world.customer))

    def refund(self, booking_id: int, minor: int) -> None:
        """An operator gives money back."""

        def work(db: Session) -> None:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            service.refund(db, payment, minor, "the router still does not work", self.world.operator)

        self.do(work)

    def payment(self, booking_id: int) -> Payment:
        """The payment as it is now."""
        with self.runtime.database.read() as db:
            found = service.payment_of(db, booking_id)
            assert found is not None, "there is no payment"
            db.expunge(found)
        return found

    def fetch(self, booking_id: int) -> Snapshot:
        """The payment as the backend has it now."""
        with self.runtime.database.read() as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            return self.backend.fetch(self.context(db), access.view(payment))

    def directly(self, work: Callable[[PaymentContext, PaymentView], object], booking_id: int) -> None:
        """Call the backend itself with the payment as it is now; nothing of it is kept."""
        with self.runtime.database.session(write=True) as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            work(self.context(db), access.view(payment))
            db.rollback()

    def balance(self, code: str, currency: str = "EUR") -> int:
        """The balance of an account of the ledger."""
        with self.runtime.database.read() as db:
            return balance(db, code, currency)
