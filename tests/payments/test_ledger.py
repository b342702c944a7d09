"""The ledger on both databases: what it refuses, what it does once, and what it does under pressure."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpouts.db import Database
from helpouts.errors import HelpoutsError
from helpouts.payments import Declined, IdempotencyMismatch, InvalidRequest
from helpouts.payments.ledger import Line, Posted, balance, balances, post
from helpouts.payments.models import Journal, Posting
from helpouts.payments.verify import violations


def eur(debit: str, credit: str, amount: int) -> list[Line]:
    return [Line(debit, credit, amount, "EUR")]


@pytest.fixture
def funded(database: Database) -> Database:
    with database.write() as db:
        post(db, "fund", "top_up", "user:1", eur("psp:test", "wallet:1", 1000))
    return database


def test_a_line_moves_money_from_one_account_to_another(funded: Database) -> None:
    with funded.read() as db:
        assert balance(db, "wallet:1", "EUR") == 1000
        assert balance(db, "psp:test", "EUR") == 1000
        assert balance(db, "wallet:2", "EUR") == 0
        assert violations(db) == ()


def test_an_overdraft_is_declined_and_leaves_nothing(funded: Database) -> None:
    with funded.write() as db:
        with pytest.raises(Declined):
            post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 1001))
        assert db.scalar(select(func.count()).select_from(Journal)) == 1
        # The transaction goes on: the caller may do something else.
        assert post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 1000)).fresh


def test_the_lines_of_a_journal_are_covered_in_order(funded: Database) -> None:
    there_and_back = [*eur("wallet:1", "escrow:1", 1000), *eur("escrow:1", "wallet:2", 1000)]
    with funded.write() as db:
        post(db, "a", "sweep", "x", there_and_back)
        with pytest.raises(Declined):
            post(db, "b", "sweep", "x", [*eur("escrow:2", "wallet:1", 5), *eur("wallet:2", "escrow:2", 5)])


def test_the_database_itself_refuses_an_overdraft(funded: Database) -> None:
    statement = """INSERT INTO posting (journal_id, seq, debit_id, credit_id, amount, currency)
        SELECT 1, 7, w.id, p.id, 1001, 'EUR' FROM ledger_account w, ledger_account p
        WHERE w.code = 'wallet:1' AND p.code = 'psp:test'"""
    with pytest.raises(DBAPIError, match="no_overdraft"), funded.write() as db:
        db.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET amount = 1",
        "DELETE FROM posting",
        "UPDATE journal SET kind = 'gift'",
        "DELETE FROM journal",
        "UPDATE ledger_account SET credits = 0",
        "UPDATE ledger_account SET code = 'wallet:2' WHERE code = 'wallet:1'",
        "UPDATE ledger_account SET nonneg = NOT nonneg",
        "DELETE FROM ledger_account",
    ],
)
def test_what_was_posted_stays_as_it_is(funded: Database, statement: str) -> None:
    with pytest.raises(DBAPIError), funded.write() as db:
        db.execute(text(statement))
    with funded.read() as db:
        assert violations(db) == ()


@pytest.mark.parametrize(
    "statement",
    ["INSERT OR REPLACE INTO posting VALUES (1, 0, 1, 2, 5, 'EUR')", "REPLACE INTO journal SELECT * FROM journal"],
)
def test_sqlite_rows_cannot_be_replaced_either(funded: Database, statement: str) -> None:
    if not funded.is_sqlite:
        statement = "TRUNCATE posting, journal"
    with pytest.raises(DBAPIError, match="cannot be"), funded.write() as db:
        db.execute(text(statement))


def test_a_posting_cannot_cross_currencies(funded: Database) -> None:
    with funded.write() as db:
        post(db, "yen", "top_up", "user:1", [Line("psp:test", "wallet:1", 70, "JPY")])
    statement = """INSERT INTO posting (journal_id, seq, debit_id, credit_id, amount, currency)
        SELECT 1, 7, w.id, p.id, 1, 'EUR' FROM ledger_account w, ledger_account p
        WHERE w.code = 'wallet:1' AND w.currency = 'EUR' AND p.code = 'psp:test' AND p.currency = 'JPY'"""
    with pytest.raises(DBAPIError), funded.write() as db:
        db.execute(text(statement))
    with funded.read() as db:
        assert balances(db, "wallet:1") == {"EUR": 1000, "JPY": 70}


@pytest.mark.parametrize(
    "lines",
    [
        [],
        eur("wallet:1", "escrow:1", 0),
        eur("wallet:1", "escrow:1", -5),
        eur("wallet:1", "wallet:1", 5),
        eur("purse:1", "escrow:1", 5),
        eur("wallet:", "escrow:1", 5),
        eur("wallet", "escrow:1", 5),
    ],
)
def test_lines_that_make_no_sense_are_refused(funded: Database, lines: list[Line]) -> None:
    with funded.write() as db, pytest.raises(InvalidRequest):
        post(db, "k", "move", "x", lines)


def test_a_currency_must_look_like_one(database: Database) -> None:
    with database.write() as db, pytest.raises(HelpoutsError):
        post(db, "k", "top_up", "x", [Line("psp:test", "wallet:1", 5, "eu")])


def test_the_same_key_and_content_is_one_journal(funded: Database) -> None:
    with funded.write() as db:
        first = post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 1000))
        # The wallet is empty now, and still the repetition succeeds: it changes nothing.
        assert post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 1000)) == Posted(first.journal_id, fresh=False)
        assert balance(db, "escrow:1", "EUR") == 1000


@pytest.mark.parametrize(
    ("kind", "ref", "lines"),
    [
        ("move", "x", eur("wallet:1", "escrow:1", 999)),
        ("move", "x", eur("wallet:1", "escrow:2", 1000)),
        ("move", "y", eur("wallet:1", "escrow:1", 1000)),
        ("gift", "x", eur("wallet:1", "escrow:1", 1000)),
        ("move", "x", eur("wallet:1", "escrow:1", 1000) * 2),
    ],
)
def test_the_same_key_with_other_content_is_refused(funded: Database, kind: str, ref: str, lines: list[Line]) -> None:
    with funded.write() as db:
        post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 1000))
        with pytest.raises(IdempotencyMismatch):
            post(db, "k", kind, ref, lines)


def test_one_key_in_sixteen_threads_is_one_journal(funded: Database) -> None:
    def once(_: int) -> Posted:
        return funded.run(lambda db: post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 700)))

    with ThreadPoolExecutor(16) as pool:
        posted = list(pool.map(once, range(16)))
    assert len({entry.journal_id for entry in posted}) == 1
    assert sum(entry.fresh for entry in posted) == 1
    with funded.read() as db:
        assert balance(db, "escrow:1", "EUR") == 700
        assert violations(db) == ()


def test_a_wallet_in_fifty_threads_is_spent_exactly_once(funded: Database) -> None:
    def spend(n: int) -> bool:
        try:
            funded.run(lambda db: post(db, f"k{n}", "move", "x", eur("wallet:1", f"escrow:{n}", 100)))
        except Declined:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(spend, range(50))) == 10
    with funded.read() as db:
        assert balance(db, "wallet:1", "EUR") == 0
        assert violations(db) == ()


def test_transfers_in_all_directions_never_wait_for_each_other(database: Database) -> None:
    wallets = [f"wallet:{n}" for n in range(5)]
    with database.write() as db:
        for wallet in wallets:
            post(db, f"fund {wallet}", "top_up", "x", eur("psp:test", wallet, 10_000))

    def shuffle(seed: int) -> int:
        dice, done = random.Random(seed), 0
        for n in range(12):
            route = dice.sample(wallets, 4)
            lines = [line for pair in itertools.pairwise(route) for line in eur(*pair, dice.randint(1, 9))]
            with database.write() as db:  # not run(): a deadlock would be retried there, and not be seen
                done += post(db, f"{seed}/{n}", "move", "x", lines).fresh
        return done

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(shuffle, range(8))) == 96
    with database.read() as db:
        assert sum(balance(db, wallet, "EUR") for wallet in wallets) == 50_000
        assert violations(db) == ()


def test_a_journal_is_reversed_at_most_once(funded: Database) -> None:
    with funded.write() as db:
        held = post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 10))
        post(db, "r", "undo", "x", eur("escrow:1", "wallet:1", 10), reverses_id=held.journal_id)
    with pytest.raises(DBAPIError), funded.write() as db:
        post(db, "r2", "undo", "x", eur("psp:test", "wallet:1", 10), reverses_id=held.journal_id)


def _count(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(Posting)) or 0


def test_nothing_of_a_rolled_back_journal_is_left(funded: Database) -> None:
    with funded.session(write=True) as db:
        post(db, "k", "move", "x", eur("wallet:1", "escrow:1", 10))
        db.rollback()
    with funded.read() as db:
        assert _count(db) == 1
        assert balance(db, "escrow:1", "EUR") == 0
        assert violations(db) == ()
