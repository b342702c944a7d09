"""What the database itself refuses, and does, for the ledger: DDL for both databases.

The counters of an account move only with a posting, and journals and postings can be neither changed nor deleted,
whichever path writes.  ``create_all`` runs these statements after each table; a migration runs
:func:`statements` itself.  (No statement holds a percent sign or a colon: they pass through formatting untouched.)
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import DDL, Table, event

Dialect = Literal["sqlite", "postgresql"]


def _sqlite_frozen(table: str) -> tuple[str, ...]:
    message = f"{table} rows cannot be changed, post a reversing journal"
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        for verb in ("UPDATE", "DELETE")
    )


def _postgresql_frozen(table: str) -> tuple[str, ...]:
    return (
        _REFUSE,
        (
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        ),
        (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
        ),
    )


_REFUSE = """CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
    MESSAGE = TG_TABLE_NAME || ' rows cannot be changed, post a reversing journal';
END $$"""

_MOVE = """CREATE OR REPLACE FUNCTION ledger_move_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger_account SET debits = debits + NEW.amount WHERE id = NEW.debit_id;
  UPDATE ledger_account SET credits = credits + NEW.amount WHERE id = NEW.credit_id;
  RETURN NULL;
END $$"""

#: Per dialect and table, in the order in which the tables are made.
GUARDS: dict[Dialect, dict[str, tuple[str, ...]]] = {
    "sqlite": {
        "ledger_account": (
            # SQLite cannot tell a trigger's update from another's; verify's I2 finds a counter moved by hand.
            (
                "CREATE TRIGGER ledger_account_fixed BEFORE UPDATE ON ledger_account "
                "WHEN NEW.id <> OLD.id OR NEW.code <> OLD.code OR NEW.currency <> OLD.currency "
                "OR NEW.normal <> OLD.normal OR NEW.nonneg <> OLD.nonneg "
                "OR NEW.debits < OLD.debits OR NEW.credits < OLD.credits "
                "BEGIN SELECT RAISE(ABORT, 'a ledger account only grows by postings'); END"
            ),
        ),
        "journal": (
            *_sqlite_frozen("journal"),
            # INSERT OR REPLACE deletes without asking the DELETE trigger, so it is refused here.
            (
                "CREATE TRIGGER journal_no_replace BEFORE INSERT ON journal "
                "WHEN EXISTS (SELECT 1 FROM journal WHERE id = NEW.id) "
                "BEGIN SELECT RAISE(ABORT, 'journal rows cannot be replaced'); END"
            ),
        ),
        "posting": (
            *_sqlite_frozen("posting"),
            (
                "CREATE TRIGGER posting_no_replace BEFORE INSERT ON posting "
                "WHEN EXISTS (SELECT 1 FROM posting WHERE journal_id = NEW.journal_id AND seq = NEW.seq) "
                "BEGIN SELECT RAISE(ABORT, 'posting rows cannot be replaced'); END"
            ),
            (
                "CREATE TRIGGER posting_moves_counters AFTER INSERT ON posting BEGIN "
                "UPDATE ledger_account SET debits = debits + NEW.amount WHERE id = NEW.debit_id; "
                "UPDATE ledger_account SET credits = credits + NEW.amount WHERE id = NEW.credit_id; END"
            ),
        ),
    },
    "postgresql": {
        "ledger_account": (
            _REFUSE,
            # At depth 0 nobody's trigger is running: somebody is writing to an account by hand.
            (
                "CREATE TRIGGER ledger_account_fixed BEFORE UPDATE OR DELETE ON ledger_account "
                "FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse()"
            ),
        ),
        "journal": _postgresql_frozen("journal"),
        "posting": (
            _MOVE,
            *_postgresql_frozen("posting"),
            (
                "CREATE TRIGGER posting_moves_counters AFTER INSERT ON posting "
                "FOR EACH ROW EXECUTE FUNCTION ledger_move_counters()"
            ),
        ),
    },
}


def statements(dialect: str) -> tuple[str, ...]:
    """All statements for this dialect ("sqlite" or "postgresql"), to be run once the tables exist."""
    tables = GUARDS["postgresql" if dialect == "postgresql" else "sqlite"]
    return tuple(statement for table in tables.values() for statement in table)


def attach(table: Table) -> None:
    """Run the table's guards whenever the table is created by ``create_all``."""
    for dialect, tables in GUARDS.items():
        for statement in tables[table.name]:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]  # SQLAlchemy 2.1's DDL
