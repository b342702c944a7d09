"""The invariants find what is broken, and ``helpouts ledger verify`` says so."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from helpouts_payments_wallet.service import connect_payer
from sqlalchemy import text
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM
from helpouts.cli.ledger import ledger
from helpouts.db import Database
from helpouts.packages.models import Package, PackageOffer
from helpouts.payments import guards, service
from helpouts.payments.invariants import INVARIANTS
from helpouts.payments.ledger import Line, post
from helpouts.payments.payouts import request_payout
from helpouts.payments.verify import violations
from helpouts.runtime import Runtime
from helpouts.testing.money import World

#: A change to the rows that no guard is there to stop, and the invariants that find it.
DAMAGE = {
    "UPDATE ledger_account SET credits = credits + 1 WHERE code = 'revenue:fee'": {"I1", "I2", "I6", "I8"},
    "UPDATE ledger_account SET credits = credits + 1, debits = debits + 1 WHERE code = 'psp:test'": {"I2"},
    "UPDATE payment SET state = 'captured' WHERE state = 'held'": {"I5"},
    "UPDATE payment SET state = 'held' WHERE state = 'voided'": {"I4"},
    "UPDATE payment SET fee_minor = fee_minor - 1 WHERE state = 'captured'": {"I6", "I11", "I14"},
    "UPDATE payment SET refunded_minor = refunded_minor + 1 WHERE state = 'part_refunded'": {"I7", "I14"},
    "UPDATE payment SET fee_refunded_minor = 0 WHERE state = 'part_refunded'": {"I6", "I12", "I14"},
    "UPDATE journal SET lines = 9 WHERE kind = 'refund'": {"I9"},
    "UPDATE journal SET kind = 'release' WHERE kind = 'hold'": {"I10"},
    "DELETE FROM payment_operation WHERE op = 'capture'": {"I13"},
    "UPDATE payment_operation SET state = 'failed' WHERE op = 'void'": {"I13"},
    "UPDATE payment SET matured_at = NULL": {"I14"},
    "UPDATE payout SET state = 'paid'": {"I17"},
    "UPDATE ledger_account SET code = 'package:999' WHERE kind = 'package'": {"P1"},
    "UPDATE package SET sessions = 1": {"P1", "P2"},
    "UPDATE journal SET kind = 'package_back' WHERE kind = 'package_buy'": {"P2"},
    "UPDATE payment SET funding = 'package:999' WHERE funding LIKE 'package:%'": {"P3"},
}


@pytest.fixture
def damaged(runtime: Runtime) -> Database:
    """A site with money in every state, whose guards are gone: anything can be written."""
    world, database = World(runtime), runtime.database
    with database.write() as db:
        connect_payer(db, world.customer_id, world.customer)
        world.fund(db, 20_000)
        payments = []
        for minor, seconds in ((2500, 1700), (1700, 1700), (1999, 1700)):
            booking = world.booking(db, minor)
            payments.append(service.hold_for_booking(db, booking, world.customer))
            service.settle_booking(db, booking, seconds, SYSTEM)
        service.refund(db, payments[1], 500, "", world.operator)
        service.mature(db, payments[2])
        request_payout(db, world.expert_id, 100, "EUR", "k", world.expert)
        voided = world.booking(db, 800)
        service.hold_for_booking(db, voided, world.customer)
        service.release_booking(db, voided, 0, world.customer)
        service.hold_for_booking(db, world.booking(db, 700), world.customer)
        service.hold(
            db, service.draft_hold(db, paid := world.booking(db, 300), _package(db, world)), paid, world.customer
        )
        assert violations(db) == ()
        for table in ("posting", "journal", "ledger_account"):
            if database.is_sqlite:
                found = f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'"
                for name in db.scalars(text(found)).all():
                    db.execute(text(f"DROP TRIGGER {name}"))
            else:
                db.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    return database


def _package(db: Session, world: World) -> str:
    """A package of three sessions that is paid for; its account."""
    listing_id = world.booking(db, 1).listing_id
    same = {"listing_id": listing_id, "length_minutes": 30, "sessions": 3, "price_minor": 300, "currency": "EUR"}
    offer = PackageOffer(**same)
    db.add(offer)
    db.flush()
    wallet = f"wallet:{world.customer_id}"
    named = {"public_id": "pack", "title": "Three", "funding": wallet, "idempotency_key": "three"}
    package = Package(offer_id=offer.id, customer_id=world.customer_id, **same, **named)
    db.add(package)
    db.flush()
    post(db, "package_buy:pack", "package_buy", package.ref, [Line(wallet, package.account, 900, "EUR")])
    return package.account


@pytest.mark.parametrize("statement", DAMAGE)
def test_damage_is_found(damaged: Database, statement: str) -> None:
    with damaged.session(write=True) as db:
        assert db.execute(text(statement)).rowcount > 0, "the damage must hit something"  # type: ignore[attr-defined]
        assert DAMAGE[statement] <= {finding.key for finding in violations(db)}
        db.rollback()


def test_what_the_database_refuses_needs_no_damage() -> None:
    """Every invariant is seen failing above or in the tests of the service, but for those that constraints hold."""
    by_constraint = {"I3", "I16"}  # no_overdraft; composite foreign keys (see test_ledger)
    elsewhere = {"I15"}  # test_service
    assert set().union(*DAMAGE.values()) | by_constraint | elsewhere == {i.key for i in INVARIANTS}


def test_the_command_prints_the_findings_and_its_exit_code_says_it_all(runtime: Runtime) -> None:
    options = {"database": runtime.database.url, "data": str(runtime.config.data_dir)}
    good = CliRunner().invoke(ledger, ["verify"], obj=dict(options))
    assert (good.exit_code, "The books balance." in good.output) == (0, True), good.output
    with runtime.database.write() as db:
        post(db, "loose", "hold", "payment:gone", [Line("psp:test", "wallet:1", 5, "EUR")])
    bad = CliRunner().invoke(ledger, ["verify", "--json"], obj=dict(options))
    assert bad.exit_code == 1
    found = json.loads(bad.output)
    assert found["ok"] is False
    assert [f["key"] for f in found["findings"] if f["violations"]] == ["I13"]
    assert len(found["findings"]) == len(INVARIANTS)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_guards_pass_through_formatting_untouched(dialect: str) -> None:
    for statement in guards.statements(dialect):
        assert "%" not in statement
        assert ":" not in statement
