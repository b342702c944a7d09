"""A slot is never sold twice: the database refuses a live booking that overlaps another of the same person.

PostgreSQL has exclusion constraints for it (extension btree_gist); SQLite has triggers, which are exact
because writers are serialised by ``BEGIN IMMEDIATE``.  Both raise IntegrityError, whichever path writes: site, API,
console, reschedule, instant.  The same holds for the customer's time, and for somebody who is host in one and customer
in the other: nobody is in two rooms at once.
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
#: The other part of the same person.  PostgreSQL's constraint cannot compare two columns, so a trigger does; it locks
#: the two people first, or two transactions would not see each other's rows.
_CROSSED = """
CREATE TRIGGER booking_parts_free_{name} BEFORE {moment} ON booking
WHEN NEW.state IN (LIVE)
BEGIN
  SELECT RAISE(ABORT, 'booking_parts_overlap') WHERE EXISTS (
    SELECT 1 FROM booking b WHERE b.host_id = NEW.customer_id AND b.id IS NOT NEW.id
      AND b.state IN (LIVE) AND b.starts_at < NEW.ends_at AND NEW.starts_at < b.ends_at)
  OR EXISTS (
    SELECT 1 FROM booking b WHERE b.customer_id = NEW.host_id AND b.id IS NOT NEW.id
      AND b.state IN (LIVE) AND b.starts_at < NEW.ends_at AND NEW.starts_at < b.ends_at);
END"""
_CROSSED_FUNCTION = """
CREATE OR REPLACE FUNCTION booking_parts_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM "user" WHERE id IN (NEW.host_id, NEW.customer_id) ORDER BY id FOR NO KEY UPDATE;
  IF EXISTS (SELECT 1 FROM booking b WHERE b.host_id = NEW.customer_id AND b.id <> NEW.id
      AND b.state IN (LIVE) AND b.starts_at < NEW.ends_at AND NEW.starts_at < b.ends_at)
    OR EXISTS (SELECT 1 FROM booking b WHERE b.customer_id = NEW.host_id AND b.id <> NEW.id
      AND b.state IN (LIVE) AND b.starts_at < NEW.ends_at AND NEW.starts_at < b.ends_at) THEN
    RAISE EXCEPTION USING ERRCODE = 'exclusion_violation', MESSAGE = 'booking_parts_overlap';
  END IF;
  RETURN NEW;
END $$""".replace("LIVE", _LIVE)
_CROSSED_TRIGGER = f"""
CREATE TRIGGER booking_parts_free BEFORE INSERT OR UPDATE ON booking
  FOR EACH ROW WHEN (NEW.state IN ({_LIVE})) EXECUTE FUNCTION booking_parts_free()"""


def _sqlite(person: str) -> list[str]:
    text = _TRIGGER.replace("PERSON", person).replace("LIVE", _LIVE)
    return [text.format(name=moment.lower(), moment=moment) for moment in ("INSERT", "UPDATE")]


def _sqlite_crossed() -> list[str]:
    text = _CROSSED.replace("LIVE", _LIVE)
    return [text.format(name=moment.lower(), moment=moment) for moment in ("INSERT", "UPDATE")]


def _postgresql(person: str) -> str:
    return f"""
ALTER TABLE booking ADD CONSTRAINT booking_{person}_overlap EXCLUDE USING gist
  ({person}_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (state IN ({_LIVE}))"""


#: The statements of the first migration, in order, and those that came with the third.
SQLITE: list[str] = [*_sqlite("host"), *_sqlite("customer")]
POSTGRESQL: list[str] = ["CREATE EXTENSION IF NOT EXISTS btree_gist", _postgresql("host"), _postgresql("customer")]
PARTS_SQLITE: list[str] = _sqlite_crossed()
PARTS_POSTGRESQL: list[str] = [_CROSSED_FUNCTION, _CROSSED_TRIGGER]


def _listen(statement: str, dialect: str) -> None:
    ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy 2.1's DDL
    event.listen(Booking.__table__, "after_create", ddl.execute_if(dialect=dialect))


for _statement in (*SQLITE, *PARTS_SQLITE):
    _listen(_statement, "sqlite")
for _statement in (*POSTGRESQL, *PARTS_POSTGRESQL):
    _listen(_statement, "postgresql")
