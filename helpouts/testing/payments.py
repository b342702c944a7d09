"""The conformance suite of payment backends, for their authors to subclass.

A test module defines a subclass of :class:`PaymentBackendContract` with a fixture ``case``::

    class TestMine(PaymentBackendContract):
        @pytest.fixture
        def case(self, runtime):
            return Case(runtime, "mine", World(runtime))

The checks drive the backend through the core's services, as bookings do, and directly where the contract says what a
call must refuse.  After each of them every invariant of the ledger holds.
"""

# ruff: noqa: D102  # the checks' names are sentences
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.errors import HelpoutsError
from helpouts.jobs.worker import Worker
from helpouts.payments import (
    Capabilities,
    InvalidRequest,
    Money,
    NotSupported,
    PayeeStatus,
    PaymentBackend,
    PaymentContext,
    PaymentError,
    PaymentView,
    Snapshot,
    WebhookRejected,
    access,
    service,
)
from helpouts.payments.ledger import KINDS, balance
from helpouts.payments.models import Payment, PaymentOperation
from helpouts.payments.operations import call
from helpouts.payments.verify import violations
from helpouts.runtime import Runtime
from helpouts.testing.money import World
from helpouts.testing.psp import DummyBackend

__all__ = ["Case", "DummyBackend", "PaymentBackendContract"]


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


class PaymentBackendContract:
    """What every payment backend does.  Subclass it and give it a fixture ``case``."""

    @pytest.fixture
    def case(self) -> Case:
        """The backend under test: override me."""
        raise pytest.UsageError("give the class a fixture 'case' that returns a Case")

    @pytest.fixture(autouse=True)
    def balanced_books(self, case: Case) -> Iterator[None]:
        """After every check, whatever it did, every invariant of the money holds."""
        yield
        with case.runtime.database.read() as db:
            assert violations(db) == ()

    # -- what it says of itself ------------------------------------------------------------------------------

    def test_has_the_methods_of_the_contract(self, case: Case) -> None:
        assert isinstance(case.backend, PaymentBackend)

    def test_has_a_name_that_fits_into_urls_and_tables(self, case: Case) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,39}", case.backend.name)
        assert case.backend.name == case.name

    def test_has_a_title_and_a_summary_for_people(self, case: Case) -> None:
        assert str(case.backend.title)
        assert str(case.backend.summary)

    def test_declares_capabilities_with_currency_codes(self, case: Case) -> None:
        capabilities = case.backend.capabilities
        assert isinstance(capabilities, Capabilities)
        assert capabilities.currencies
        assert all(re.fullmatch(r"[A-Z]{3}", code) for code in capabilities.currencies)

    def test_an_in_transaction_backend_has_no_outside_features(self, case: Case) -> None:
        capabilities = case.backend.capabilities
        if capabilities.in_transaction:
            assert not (capabilities.can_be_pending)
            assert not (capabilities.webhooks)
            assert not (capabilities.idempotency_ttl)
            assert capabilities.interaction == "none"

    def test_names_a_funding_account_that_the_ledger_knows(self, case: Case) -> None:
        kind, _, name = case.backend.funding_account(case.world.customer_id).partition(":")
        assert kind in KINDS
        assert name
        assert (kind == "wallet") == case.backend.capabilities.in_transaction

    def test_sets_people_up_on_this_site_or_not_at_all(self, case: Case) -> None:
        url = case.backend.setup_url(case.world.customer_id)
        assert url == "" or (url.startswith("/") and not url.startswith("//"))

    def test_says_who_is_ready_and_what_is_missing(self, case: Case) -> None:
        with case.runtime.database.read() as db:
            for status in (
                case.backend.payer_status(case.context(db), case.world.customer_id),
                case.backend.payee_status(case.context(db), case.world.expert_id),
                case.backend.payer_status(case.context(db), 10**6),
            ):
                assert isinstance(status, PayeeStatus)
                assert status.ready == (not status.needs)

    def test_shows_no_setting_in_its_repr_or_description(self, case: Case) -> None:
        booking_id = case.hold()
        with case.runtime.database.read() as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            shown = repr(case.backend) + "".join(f"{a}{b}" for a, b in case.backend.describe(access.view(payment)))
            plugin = case.runtime.registry.plugin_of("helpouts_payment_backends", case.name) or ""
            declared = case.runtime.registry.setting_declarations(plugin)
            values = case.context(db).settings
        assert all(str(values[key]) not in shown for key, s in declared.items() if s.secret and values[key])

    # -- holding ---------------------------------------------------------------------------------------------

    def test_a_hold_is_held_here_and_there(self, case: Case) -> None:
        booking_id = case.hold(2500)
        assert case.payment(booking_id).state == "held"
        seen = case.fetch(booking_id)
        assert (seen.state, seen.authorized, seen.captured, seen.refunded) == ("SUCCEEDED", 2500, 0, 0)

    def test_holding_again_is_the_same_payment(self, case: Case) -> None:
        booking_id = case.hold(2500)
        first = case.payment(booking_id).public_id
        case.do(lambda db: service.hold_for_booking(db, db.get_one(Booking, booking_id), case.world.customer))
        assert case.payment(booking_id).public_id == first
        with case.runtime.database.read() as db:
            assert db.scalar(select(func.count()).select_from(PaymentOperation)) == 1

    def test_a_customer_without_money_is_declined_and_nothing_is_left(self, case: Case) -> None:
        if not case.poor:
            assert not case.backend.capabilities.in_transaction, "a wallet declines whoever has no money"
            return
        with pytest.raises(HelpoutsError) as refused:
            case.hold(2500, fund=False)
        assert refused.value.status == 402
        with case.runtime.database.read() as db:
            assert db.scalar(select(func.count()).select_from(Payment)) == 0

    def test_a_foreign_currency_is_refused_before_any_call(self, case: Case) -> None:
        assert "XTS" not in case.backend.capabilities.currencies
        with pytest.raises(InvalidRequest):
            case.hold(2500, "XTS", fund=False)

    def test_a_free_booking_is_not_its_business(self, case: Case) -> None:
        with pytest.raises(InvalidRequest):
            case.hold(0, fund=False, pricing="free")

    def test_says_when_the_hold_lapses_if_it_does(self, case: Case) -> None:
        payment = case.payment(case.hold())
        assert (payment.expires_at is None) == (case.backend.capabilities.hold_max_age is None)

    # -- capturing and voiding -------------------------------------------------------------------------------

    def test_a_session_is_paid_in_full(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        payment = case.payment(booking_id)
        assert (payment.state, payment.captured_minor, payment.fee_minor) == ("captured", 2500, 500)
        seen = case.fetch(booking_id)
        assert (seen.authorized, seen.captured) == (0, 2500)
        assert case.balance(f"earn_pending:{case.world.expert_id}") == 2000

    def test_a_shorter_session_takes_less_and_gives_the_rest_back(self, case: Case) -> None:
        booking_id = case.hold(3000, pricing="per_minute", price_minor=100)
        case.settle(booking_id, seconds=95)
        assert case.payment(booking_id).captured_minor == 158
        assert case.fetch(booking_id).captured == 158
        assert case.balance(f"escrow:{booking_id}") == 0

    def test_a_session_in_which_nobody_met_takes_nothing(self, case: Case) -> None:
        booking_id = case.hold(3000, pricing="per_minute", price_minor=100)
        case.settle(booking_id, seconds=0)
        assert case.payment(booking_id).state == "voided"
        seen = case.fetch(booking_id)
        assert (seen.authorized, seen.captured) == (0, 0)

    def test_settling_twice_is_settling_once(self, case: Case) -> None:
        booking_id = case.hold(3000, pricing="per_minute", price_minor=100)
        case.settle(booking_id, seconds=600)
        case.settle(booking_id, seconds=1200)
        case.release(booking_id)
        assert case.payment(booking_id).captured_minor == 1000
        assert case.fetch(booking_id).captured == 1000

    def test_settling_in_sixteen_threads_is_settling_once(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: self._settle_in_thread(case, booking_id), range(16)))
        Worker(case.runtime).drain()
        assert case.fetch(booking_id).captured == 2500
        assert case.balance("revenue:fee") == 500

    @staticmethod
    def _settle_in_thread(case: Case, booking_id: int) -> None:
        case.runtime.database.run(
            lambda db: service.settle_booking(db, db.get_one(Booking, booking_id), 1800, case.world.operator)
        )

    def test_taking_more_than_is_held_is_refused(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with pytest.raises(InvalidRequest):
            case.directly(lambda ctx, p: case.backend.capture(ctx, p, Money(2501, "EUR"), True, "k" * 40), booking_id)
        assert case.fetch(booking_id).captured == 0

    def test_a_cancelled_booking_gives_everything_back(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.release(booking_id)
        assert case.payment(booking_id).state == "voided"
        assert case.fetch(booking_id).authorized == 0
        assert case.balance("revenue:fee") == 0

    def test_a_late_cancellation_costs_what_the_policy_says(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.release(booking_id, charge=1250)
        payment = case.payment(booking_id)
        assert (payment.captured_minor, payment.fee_minor) == (1250, 250)
        assert case.fetch(booking_id).captured == 1250

    def test_what_was_taken_cannot_be_voided(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        with pytest.raises(InvalidRequest):
            case.directly(lambda ctx, p: case.backend.void(ctx, p, "k" * 40), booking_id)

    # -- refunding -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("slices", [(999,), (1, 1, 997), (333, 333, 333), (998, 1)])
    def test_slices_of_a_refund_return_exactly_everything(self, case: Case, slices: tuple[int, ...]) -> None:
        booking_id = case.hold(999, fee_bp=1250)
        case.settle(booking_id)
        for part in slices if case.backend.capabilities.refund == "partial" else (999,):
            case.refund(booking_id, part)
        payment = case.payment(booking_id)
        assert payment.state == "refunded"
        assert payment.fee_refunded_minor == payment.fee_minor
        assert case.fetch(booking_id).refunded == 999
        assert case.balance("revenue:fee") == 0
        assert case.balance(f"earn_pending:{case.world.expert_id}") == 0

    def test_more_than_was_taken_is_never_given_back(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        with pytest.raises(InvalidRequest):
            case.refund(booking_id, 2501)
        with pytest.raises(InvalidRequest):
            case.directly(lambda ctx, p: case.backend.refund(ctx, p, Money(2501, "EUR"), "", "k" * 40), booking_id)
        assert case.fetch(booking_id).refunded == 0

    @pytest.mark.parametrize("minor", [0, -1])
    def test_nothing_and_less_cannot_be_given_back(self, case: Case, minor: int) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        with pytest.raises(InvalidRequest):
            case.refund(booking_id, minor)

    def test_a_hold_cannot_be_refunded(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with pytest.raises(InvalidRequest):
            case.refund(booking_id, 1)

    # -- calls repeated, calls unknown -----------------------------------------------------------------------

    def test_the_same_key_has_one_effect(self, case: Case) -> None:
        booking_id = case.hold(2500)
        case.settle(booking_id)
        case.refund(booking_id, 500)
        before = case.fetch(booking_id)
        with case.runtime.database.session(write=True) as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            for operation in db.scalars(select(PaymentOperation).order_by(PaymentOperation.id)).all():
                seen = access.view(payment)
                try:
                    call(case.backend, case.context(db), seen, operation)
                except PaymentError:
                    # A wallet may look at the state first: its keys are remembered by the ledger.
                    assert case.backend.capabilities.in_transaction, "repeating a call is no mistake"
            db.rollback()
        assert case.fetch(booking_id) == before

    def test_a_payment_that_it_never_saw_is_unknown_to_it(self, case: Case) -> None:
        stranger = PaymentView("never-seen", "", Money(100, "EUR"), 0, 0, case.world.customer_id, case.world.expert_id)
        with case.runtime.database.read() as db:
            seen = case.backend.fetch(case.context(db), stranger)
        assert (seen.state, seen.authorized, seen.captured, seen.refunded) == ("UNKNOWN", 0, 0, 0)

    @pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff", b"[1]", b"x" * 1_000_000])
    @pytest.mark.parametrize("signature", ["", "sha256=00", "Ω"])
    def test_a_webhook_that_is_not_genuine_is_rejected(self, case: Case, body: bytes, signature: str) -> None:
        headers = {"Signature": signature, "Stripe-Signature": signature} if signature.isascii() else {}
        with case.runtime.database.read() as db, pytest.raises(WebhookRejected):
            case.backend.parse_webhook(case.context(db), headers, body)

    def test_what_is_declared_impossible_is_refused(self, case: Case) -> None:
        capabilities, booking_id = case.backend.capabilities, case.hold(2500)
        if not capabilities.void:
            with pytest.raises(NotSupported):
                case.directly(lambda ctx, p: case.backend.void(ctx, p, "k" * 40), booking_id)
        if capabilities.interaction == "none" and not capabilities.can_be_pending:
            with pytest.raises(NotSupported):
                case.directly(lambda ctx, p: case.backend.resume(ctx, p, {"paid": "yes"}, "k" * 40), booking_id)

    def test_what_a_browser_claims_is_not_believed(self, case: Case) -> None:
        booking_id = case.hold(2500)
        with case.runtime.database.read() as db:
            payment = service.payment_of(db, booking_id)
            assert payment is not None
            try:
                case.backend.resume(case.context(db), access.view(payment), {"captured": "9999"}, "k" * 40)
            except NotSupported:
                return
        assert case.fetch(booking_id).captured == 0

    # -- currencies ------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("currency", "minor"), [("JPY", 1001), ("KWD", 12_345)])
    def test_currencies_with_other_minor_units_work_alike(self, case: Case, currency: str, minor: int) -> None:
        if currency not in case.backend.capabilities.currencies:
            with pytest.raises(InvalidRequest):
                case.hold(minor, currency, fund=False)
            return
        booking_id = case.hold(minor, currency, fee_bp=1500)
        case.settle(booking_id)
        payment = case.payment(booking_id)
        assert payment.captured_minor == minor
        assert case.balance("revenue:fee", currency) == payment.fee_minor
        case.refund(booking_id, minor)
        assert case.balance("revenue:fee", currency) == 0
        assert case.balance("revenue:fee", "EUR") == 0

    def test_a_payment_has_a_reference_of_the_backend(self, case: Case) -> None:
        assert case.payment(case.hold(2500)).ref
