"""A slot is never sold twice: the database refuses a live booking that overlaps another of the same person.

PostgreSQL has exclusion constraints for it (extension btree_gist); SQLite has triggers, which are exact
because writers are serialised by ``BEGIN IMMEDIATE``.  Both raise IntegrityError, whichever path writes: site, API,
console, reschedule, instant.  The same holds for the customer's time.
"""

from __future__ import annotations

from sqlalchemy import DDL, event

from helpouts.bookings.models import LIVE_STATES, Booking

_LIVE = ", ".join(f"'{state}'" for state in LIVE_STATES)


def _sqlite(person: str) -> list[str]:
    statements = []
    for moment, name in (("INSERT", "insert"), ("UPDATE", "update")):
        statements.append(  # the values are constants of ours
            f"""
CREATE TRIGGER booking_{person}_free_{name} BEFORE {moment} ON booking
WHEN NEW.state IN ({_LIVE})
BEGIN
  SELECT RAISE(ABORT, 'booking_{person}_overlap') WHERE EXISTS (
    SELECT 1 FROM booking b WHERE b.{person}_id = NEW.{person}_id AND b.id IS NOT NEW.id
      AND b.state IN ({_LIVE}) AND b.starts_at < NEW.ends_at AND NEW.starts_at < b.ends_at);
END"""
        )
    return statements


def _postgresql(person: str) -> str:
    return f"""
ALTER TABLE booking ADD CONSTRAINT booking_{person}_overlap EXCLUDE USING gist
  ({person}_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (state IN ({_LIVE}))"""


#: The statements, in order, for the first migration and for ``create_all``.
SQLITE: list[str] = [*_sqlite("host"), *_sqlite("customer")]
POSTGRESQL: list[str] = ["CREATE EXTENSION IF NOT EXISTS btree_gist", _postgresql("host"), _postgresql("customer")]



def _listen(statement: str, dialect: str) -> None:
    ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy 2.1's DDL
    event.listen(Booking.__table__, "after_create", ddl.execute_if(dialect=dialect))


for _statement in SQLITE:
    _listen(_statement, "sqlite")
for _statement in POSTGRESQL:
    _listen(_statement, "postgresql")
