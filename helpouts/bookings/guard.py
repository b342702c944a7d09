"""A slot is never sold twice: the database refuses a live booking that overlaps another of the same person.

PostgreSQL has exclusion constraints for it (extension btree_gist); SQLite has triggers, which are exact
because writers are serialised by ``BEGIN IMMEDIATE``.  Both raise IntegrityError, whichever path writes: site, API,
console, reschedule, instant.  The same holds for the customer's time.
"""

from __future__ import annotations

from sqlalchemy import DDL, event

from helpouts.bookings.models import LIVE_STATES, Booking

_LIVE = ", ".join(f"'{state}'" for state in LIVE_STATES)


_TRIGGER = """
CREATE TRIGGER booking_PERSON_free_{name} BEFORE {moment} ON booking
WHEN NEW.state IN (LIVE)
BEGIN
  SELECT RAISE(ABORT, 'booking_PERSON_overlap') WHERE EXISTS (
    SELECT 1 FROM booking b WHERE b.PERSON_id = NEW.PERSON_id AND b.id IS NOT NEW.id
      AND b.state IN (LIVE) AND b.starts_at < NEW.ends_at AND NEW.starts_at < b.ends_at);
END"""


def _sqlite(person: str) -> list[str]:
    text = _TRIGGER.replace("PERSON", person).replace("LIVE", _LIVE)
    return [text.format(name=moment.lower(), moment=moment) for moment in ("INSERT", "UPDATE")]


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
