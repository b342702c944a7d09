"""Calls that leave the database: whatever happens on the way, company and books agree in the end, once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.payments import WebhookRejected, service
from helpouts.payments.ledger import balance
from helpouts.payments.models import Payment, PaymentOperation
from helpouts.payments.webhooks import receive
from helpouts.runtime import Runtime
from helpouts.testing.money import World
from helpouts.testing.payments import Case
from helpouts.testing.psp import DummyBackend, sign


@pytest.fixture
def case(dummy_runtime: Runtime) -> Case:
    clock.set(clock.now())
    return Case(dummy_runtime, "dummy", World(dummy_runtime))


def wait(case: Case) -> None:
    """Let the time pass in which jobs are tried again."""
    for _ in range(4):
        clock.advance(timedelta(minutes=10))
        Worker(case.runtime).drain()


def operations(case: Case) -> list[tuple[str, str]]:
    with case.runtime.database.read() as db:
        rows = db.scalars(select(PaymentOperation).order_by(PaymentOperation.id))
        return [(row.op, row.state) for row in rows]


def test_the_operation_is_committed_before_the_company_is_called(case: Case, dummy: DummyBackend) -> None:
    with case.runtime.database.write() as db:
        payment = service.hold_for_booking(db, case.world.booking(db), case.world.customer)
        assert payment.state == "created"
    assert dummy.company.effects == []
    assert operations(case) == [("start", "prepared")]
    Worker(case.runtime).drain()
    assert operations(case) == [("start", "succeeded")]
    assert len(dummy.company.effects) == 1


def test_a_rolled_back_booking_never_reaches_the_company(case: Case, dummy: DummyBackend) -> None:
    with case.runtime.database.session(write=True) as db:
        service.hold_for_booking(db, case.world.booking(db), case.world.customer)
        db.rollback()
    Worker(case.runtime).drain()
    assert dummy.company.effects == []


@pytest.mark.parametrize("fault", ["lost", "unreached", "down", "crash"])
@pytest.mark.parametrize("op", ["start", "capture", "void", "refund"])
def test_every_fault_of_every_call_ends_in_the_companys_truth(
    case: Case, dummy: DummyBackend, op: str, fault: str
) -> None:
    # The same fault twice in a row, then none.
    faults = [fault, fault]
    if op == "start":
        dummy.faults = list(faults)
    booking_id = case.hold(2500)
    if op == "start":
        wait(case)
    if op in ("capture", "refund"):
        dummy.faults = faults if op == "capture" else []
        case.settle(booking_id)
        wait(case)
    if op == "refund":
        dummy.faults = faults
        case.refund(booking_id, 500)
        wait(case)
    if op == "void":
        dummy.faults = faults
        case.release(booking_id)
        wait(case)
    payment = case.payment(booking_id)
    (charge,) = dummy.company.charges.values()
    states = {"start": "held", "capture": "captured", "void": "voided", "refund": "part_refunded"}
    assert payment.state == states[op]
    assert (charge.captured, charge.refunded) == (payment.captured_minor, payment.refunded_minor)
    assert all(state == "succeeded" for _, state in operations(case))
    assert len(dummy.company.effects) == len(operations(case)), "each operation has one effect at the company"


def test_an_unknown_outcome_is_a_state_of_its_own(case: Case, dummy: DummyBackend) -> None:
    dummy.faults = ["lost"]
    booking_id = case.hold(2500)
    assert case.payment(booking_id).state == "unknown"
    assert operations(case) == [("start", "unknown")]
    wait(case)
    assert case.payment(booking_id).state == "held"


def test_a_declined_card_leaves_no_money_and_room_for_another_try(case: Case, dummy: DummyBackend) -> None:
    dummy.faults = ["decline"]
    booking_id = case.hold(2500)
    with case.runtime.database.read() as db:
        (first,) = db.scalars(select(Payment)).all()
        assert (first.state, service.payment_of(db, booking_id)) == ("declined", None)
    case.do(lambda db: service.hold_for_booking(db, db.get_one(Booking, booking_id), case.world.customer))
    assert case.payment(booking_id).state == "held"


def test_a_pending_payment_is_held_once_the_company_says_so(case: Case, dummy: DummyBackend) -> None:
    dummy.faults = ["pending"]
    booking_id = case.hold(2500)
    assert case.payment(booking_id).state == "pending"
    dummy.company.complete(case.payment(booking_id).ref)
    wait(case)
    assert case.payment(booking_id).state == "held"


def test_a_booking_cancelled_before_its_hold_came_through_is_voided_after_it(case: Case, dummy: DummyBackend) -> None:
    with case.runtime.database.write() as db:
        booking_id = case.world.booking(db).id
        service.hold_for_booking(db, db.get_one(Booking, booking_id), case.world.customer)
        service.release_booking(db, db.get_one(Booking, booking_id), 0, case.world.customer)
    Worker(case.runtime).drain()
    assert case.payment(booking_id).state == "voided"
    (charge,) = dummy.company.charges.values()
    assert charge.authorized == 0


def test_refunds_under_way_count_as_given(case: Case, dummy: DummyBackend) -> None:
    booking_id = case.hold(2500)
    case.settle(booking_id)
    dummy.faults = ["down"]
    case.refund(booking_id, 2000)
    with pytest.raises(Exception, match="more than can be given back"):
        case.refund(booking_id, 501)
    case.refund(booking_id, 500)
    wait(case)
    assert case.payment(booking_id).state == "refunded"
    assert case.balance("psp:dummy") == 0


def test_card_money_is_in_the_books_only_once_it_is_captured(case: Case, dummy: DummyBackend) -> None:
    booking_id = case.hold(2500)
    assert case.balance("psp:dummy") == 0
    case.settle(booking_id)
    assert case.balance("psp:dummy") == 2500
    with case.runtime.database.read() as db:
        assert balance(db, "revenue:fee", "EUR") == 500


def test_a_webhook_only_makes_us_look(case: Case, dummy: DummyBackend) -> None:
    dummy.faults = ["pending"]
    booking_id = case.hold(2500)
    ref = case.payment(booking_id).ref
    body = json.dumps({"id": "evt_1", "ref": ref, "captured": 10**6}).encode()
    with case.runtime.database.write() as db, pytest.raises(WebhookRejected):
        receive(db, "dummy", {"Signature": "forged"}, body)
    for _ in range(3):  # and again, and again: it is only a hint
        with case.runtime.database.write() as db:
            assert receive(db, "dummy", {"Signature": sign(body)}, body) == 1
    Worker(case.runtime).drain()
    assert case.payment(booking_id).state == "pending", "the company has not said so"
    dummy.company.complete(ref)
    with case.runtime.database.write() as db:
        receive(db, "dummy", {"Signature": sign(body)}, body)
    Worker(case.runtime).drain()
    payment = case.payment(booking_id)
    assert (payment.state, payment.captured_minor) == ("held", 0)


def test_no_job_is_left_when_all_is_settled(case: Case, dummy: DummyBackend) -> None:
    dummy.faults = ["lost", "", "unreached"]
    booking_id = case.hold(2500)
    wait(case)
    case.settle(booking_id)
    wait(case)
    with case.runtime.database.read() as db:
        open_calls = select(func.count()).select_from(Job).where(Job.kind == "payments.call", Job.state != "done")
        assert db.scalar(open_calls) == 0
