"""Who may be recorded, and what becomes of a recording."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from helpouts import site
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.sessions import converting, operating, recording, recording_jobs, recording_upkeep, service
from helpouts.sessions.models import Session
from helpouts.sessions.recording_models import Recording, RecordingConsent, RecordingSegment
from helpouts.storage import service as storage
from helpouts.testing import dummy_transport
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def recorded(runtime: Runtime, registry_factory: Callable[[], Registry]) -> Runtime:
    """A site whose transport can record."""
    registry = registry_factory()
    registry.add("video_dummy", lambda: dummy_transport)
    return Runtime(runtime.config.replace(video_transport="dummy"), runtime.database, registry)


@pytest.fixture
def room(recorded: Runtime) -> SimpleNamespace:
    """An open room with both in it; ``open()`` gives (db, session, expert, customer)."""
    clock.set(START - timedelta(hours=3))
    with recorded.database.write() as db:
        listing = make_listing(db, make_expert(db))
        booking = make_booking(db, listing, make_customer(db), starts_at=START)
        session = service.session_of(db, booking)
        assert session is not None
        clock.set(START)
        for user in (booking.host_id, booking.customer_id):
            service.join(db, session, user, "n1", "")
        number = session.id

    def opened() -> Iterator[Any]:
        with recorded.database.write() as db:
            session = db.get_one(Session, number)
            yield db, session, session.booking.host, session.booking.customer

    return SimpleNamespace(runtime=recorded, id=number, open=opened)


def set_rule(runtime: Runtime, rule: str) -> None:
    family = runtime.registry._families["helpouts_categories"]
    for slug, (plugin, category) in list(family.items()):
        family[slug] = (plugin, replace(category, recording=rule))


def both_agree(room: SimpleNamespace) -> None:
    for db, session, expert, customer in room.open():
        recording.agree(db, session, expert, adult=True)
        recording.agree(db, session, customer, adult=True)


def the_recording(room: SimpleNamespace) -> Recording:
    with room.runtime.database.read() as db:
        row = db.scalars(select(Recording).order_by(Recording.id.desc()).limit(1)).one()
        db.expunge_all()
        return row


def test_one_consent_records_nothing_and_the_second_begins_it(room: SimpleNamespace) -> None:
    for db, session, expert, customer in room.open():
        recording.agree(db, session, expert, adult=True)
        assert recording.standing(db, session).running == ""
        assert recording.standing(db, session).agreed == (expert.id,)
        recording.agree(db, session, customer, adult=True)
        assert recording.standing(db, session).running
        rows = db.scalars(select(RecordingConsent)).all()
        assert [(row.user_id, row.given_at, row.withdrawn_at) for row in rows] == [
            (expert.id, START, None),
            (customer.id, START, None),
        ]


@pytest.mark.parametrize("who", ["expert", "customer"])
def test_either_stops_it_at_once_and_the_consent_is_kept_with_its_end(room: SimpleNamespace, who: str) -> None:
    both_agree(room)
    clock.advance(timedelta(seconds=90))
    for db, session, expert, customer in room.open():
        user = expert if who == "expert" else customer
        recording.withdraw(db, session, user.id, delete=False)
        found = recording.standing(db, session)
        assert (found.running, len(found.agreed)) == ("", 1)
        row = db.scalars(select(RecordingConsent).where(RecordingConsent.user_id == user.id)).one()
        assert row.withdrawn_at == START + timedelta(seconds=90)
    assert (the_recording(room).state, the_recording(room).stop_reason) == ("preparing", "withdrawn")


def test_after_a_withdrawal_both_can_agree_to_another_one(room: SimpleNamespace) -> None:
    both_agree(room)
    for db, session, expert, _customer in room.open():
        recording.withdraw(db, session, expert.id, delete=False)
    both_agree(room)
    with room.runtime.database.read() as db:
        assert [row.state for row in db.scalars(select(Recording).order_by(Recording.id))] == ["preparing", "running"]


def test_who_withdraws_can_have_everything_of_the_session_deleted(room: SimpleNamespace) -> None:
    both_agree(room)
    for db, session, expert, _customer in room.open():
        recording.withdraw(db, session, expert.id, delete=False)
    both_agree(room)
    for db, session, _expert, customer in room.open():
        recording.withdraw(db, session, customer.id, delete=True)
        assert recording.recordings_of(db, session) == []


def test_a_category_that_forbids_it_is_obeyed(room: SimpleNamespace) -> None:
    set_rule(room.runtime, "forbidden")
    for db, session, expert, _customer in room.open():
        assert recording.standing(db, session).rule == "forbidden"
        with pytest.raises(NotAllowed, match="category"):
            recording.agree(db, session, expert, adult=True)


@pytest.mark.parametrize(("born", "allowed"), [(date(2008, 11, 24), True), (date(2008, 11, 25), False)])
@pytest.mark.parametrize("who", ["expert", "customer"])
def test_a_session_with_a_minor_is_not_recorded(room: SimpleNamespace, who: str, born: date, allowed: bool) -> None:
    for db, session, expert, customer in room.open():
        (expert if who == "expert" else customer).birth_date = born
        db.flush()
        if allowed:
            recording.agree(db, session, expert, adult=True)
        else:
            with pytest.raises(NotAllowed, match="minors"):
                recording.agree(db, session, expert, adult=True)


def test_who_gave_no_birth_date_says_to_be_of_age(room: SimpleNamespace) -> None:
    for db, session, expert, customer in room.open():
        with pytest.raises(HelpoutsError, match="18"):
            recording.agree(db, session, expert, adult=False)
        customer.birth_date = date(1980, 1, 1)
        recording.agree(db, session, customer, adult=False)


def test_a_transport_that_cannot_record_is_not_asked_to(room: SimpleNamespace) -> None:
    for db, session, expert, _customer in room.open():
        session.transport = "p2p"
        db.flush()
        with pytest.raises(NotAllowed, match="not recorded on this site"):
            recording.agree(db, session, expert, adult=True)


def test_the_end_of_the_session_ends_the_recording(room: SimpleNamespace) -> None:
    both_agree(room)
    for db, session, expert, _customer in room.open():
        service.end(db, session, "expert", recording.actor_of(session, expert.id))
        with pytest.raises(Conflict):
            recording.agree(db, session, expert, adult=True)
    assert (the_recording(room).state, the_recording(room).stop_reason) == ("preparing", "over")
    assert the_recording(room).delete_at == START + timedelta(days=30)


# -- the film ------------------------------------------------------------------------------------------------


def keep(room: SimpleNamespace, *said: tuple[str, bytes]) -> str:
    """What a live process does with a segment."""
    public_id = the_recording(room).public_id
    with room.runtime.database.read() as db:
        number = len(db.scalars(select(RecordingSegment)).all())
    reference = storage.store(room.runtime, f"recordings/{public_id}/{number}", converting.pack(said))
    assert room.runtime.database.run(lambda db: recording.keep_segment(db, public_id, reference, 1))
    return reference


def people(room: SimpleNamespace) -> tuple[str, str]:
    with room.runtime.database.read() as db:
        booking = db.get_one(Session, room.id).booking
        return str(booking.host_id), str(booking.customer_id)


def end(room: SimpleNamespace) -> None:
    for db, session, *_ in room.open():
        service.end(db, session, "time", SYSTEM)
    clock.advance(recording.SETTLE)


def work(room: SimpleNamespace) -> None:
    """Do what is due of the recording's jobs."""
    with room.runtime.database.write() as db:
        for job in db.scalars(select(Job).where(Job.kind.not_like("recording.%"))):
            db.delete(job)
    assert recording_jobs.convert  # the worker knows it
    Worker(room.runtime).drain()


def in_storage(room: SimpleNamespace) -> list[str]:
    return list(storage.references(room.runtime, "recordings/"))


def test_a_job_makes_the_film_and_takes_the_packets_away(room: SimpleNamespace) -> None:
    both_agree(room)
    expert, customer = people(room)
    keep(room, (expert, b"hello"), (customer, b"good day"))
    keep(room, (customer, b"help"), ("999", b"a stranger"))
    end(room)
    work(room)
    row = the_recording(room)
    assert row.state == "ready", row.error
    film = b"".join(storage.load(room.runtime, row.reference)).decode()
    assert film == f"{expert}: hello\n{customer}: good day\n{customer}: help\n"
    assert row.size == len(film)
    assert in_storage(room) == [row.reference]


def attempts(room: SimpleNamespace) -> list[str]:
    """Let the worker try as often as it does; the recording's state after each attempt."""
    states = []
    for _attempt in range(recording.ATTEMPTS):
        work(room)
        states.append(the_recording(room).state)
        clock.advance(timedelta(seconds=40))
    return states


def test_a_film_that_cannot_be_made_is_tried_again_then_said_and_the_packets_stay(room: SimpleNamespace) -> None:
    both_agree(room)
    kept = keep(room, (people(room)[0], b"fail"))
    end(room)
    assert attempts(room) == ["preparing"] * (recording.ATTEMPTS - 1) + ["failed"]
    assert "cannot bear it" in the_recording(room).error
    assert in_storage(room) == [kept]


def test_a_storage_that_is_away_for_a_moment_costs_no_film(
    room: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_agree(room)
    keep(room, (people(room)[0], b"hello"))
    end(room)

    def broken(*_all: Any) -> str:
        raise storage.StorageError("no answer")

    with monkeypatch.context() as away:
        away.setattr(storage, "store", broken)
        work(room)
    clock.advance(timedelta(seconds=10))
    work(room)
    assert (the_recording(room).state, the_recording(room).error) == ("ready", "")


def test_an_operator_has_a_failed_film_made_again(room: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    both_agree(room)
    keep(room, (people(room)[0], b"fail"))
    end(room)
    attempts(room)
    operator = Actor("operator", 1, "Olga")
    for db, session, *_ in room.open():
        operating.try_film_again(db, session, "The codec is there now", operator)
        with pytest.raises(Conflict):
            operating.try_film_again(db, session, "Twice", operator)
    assert (the_recording(room).state, the_recording(room).error) == ("preparing", "")
    monkeypatch.setattr(converting, "run", lambda _convert, _blocks, _people, film: film.write(b"a film"))
    work(room)
    row = the_recording(room)
    assert row.state == "ready"
    assert b"".join(storage.load(room.runtime, row.reference)) == b"a film"
    with room.runtime.database.read() as db:
        [entry] = db.scalars(select(AuditEntry).where(AuditEntry.action == "recording.retry"))
        assert (entry.actor, entry.reason) == ("Olga", "The codec is there now")


def test_without_packets_there_is_nothing_to_try(room: SimpleNamespace) -> None:
    both_agree(room)
    end(room)
    work(room)
    for db, session, *_ in room.open():
        with pytest.raises(Conflict, match="not kept"):
            operating.try_film_again(db, session, "Please", SYSTEM)


def test_what_kills_every_worker_is_said_to_have_failed(room: SimpleNamespace) -> None:
    both_agree(room)
    keep(room, (people(room)[0], b"hello"))
    end(room)
    with room.runtime.database.write() as db:
        job = db.scalars(select(Job).where(Job.kind == "recording.convert")).one()
        job.state, job.last_error = "dead", "the worker died while doing it"
    room.runtime.database.run(lambda db: recording_upkeep.give_up(db, {}))
    assert (the_recording(room).state, the_recording(room).error) == ("failed", "the worker died while doing it")
    for db, session, *_ in room.open():
        operating.try_film_again(db, session, "Once more", Actor("operator", 1, "Olga"))
    room.runtime.database.run(lambda db: recording_upkeep.give_up(db, {}))
    assert the_recording(room).state == "preparing"


def test_no_unsealed_film_has_a_name_and_what_earlier_versions_left_is_swept(
    room: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_agree(room)
    keep(room, (people(room)[0], b"hello"))
    end(room)
    folder, run, seen = recording_jobs.scratch(room.runtime), converting.run, []

    def watched(convert: Any, blocks: Any, people: Any, film: Any) -> None:
        run(convert, blocks, people, film)
        seen.append((film.seek(0, 2) > 0, list(folder.iterdir())))

    monkeypatch.setattr(converting, "run", watched)
    work(room)
    assert seen == [(True, [])]
    old, new = folder / "old", folder / "new"
    for left in (old, new):
        left.mkdir()
        (left / "film.webm").write_bytes(b"unsealed")
    then = (clock.now() - timedelta(hours=13)).timestamp()
    os.utime(new, (clock.now().timestamp(),) * 2)
    os.utime(old, (then, then))
    recording_upkeep.sweep(room.runtime, 1, {})
    assert list(folder.iterdir()) == [new]


def test_a_recording_without_packets_fails(room: SimpleNamespace) -> None:
    both_agree(room)
    end(room)
    work(room)
    assert (the_recording(room).state, the_recording(room).error) == ("failed", "nothing was recorded")


def test_what_is_deleted_leaves_the_storage_packets_and_film_alike(room: SimpleNamespace) -> None:
    both_agree(room)
    keep(room, (people(room)[0], b"hello"))
    end(room)
    work(room)
    both = storage.store(room.runtime, f"recordings/{the_recording(room).public_id}/film-of-a-killed-worker", b"x")
    assert both in in_storage(room)
    for db, session, *_ in room.open():
        for row in recording.recordings_of(db, session):
            recording.remove(db, row, SYSTEM)
            recording.remove(db, row, SYSTEM)
    work(room)
    assert in_storage(room) == []
    assert (the_recording(room).state, the_recording(room).reference) == ("deleted", "")


def test_what_was_deleted_before_its_film_was_made_makes_none(room: SimpleNamespace) -> None:
    both_agree(room)
    keep(room, (people(room)[0], b"hello"))
    for db, session, _expert, customer in room.open():
        recording.withdraw(db, session, customer.id, delete=True)
    clock.advance(recording.SETTLE)
    work(room)
    assert in_storage(room) == []


def test_a_segment_that_comes_after_the_deletion_is_not_wanted(room: SimpleNamespace) -> None:
    both_agree(room)
    public_id = the_recording(room).public_id
    for db, session, expert, _customer in room.open():
        recording.withdraw(db, session, expert.id, delete=True)
        assert not recording.keep_segment(db, public_id, "folder:x", 1)


def test_recordings_are_kept_for_as_long_as_the_site_says(room: SimpleNamespace) -> None:
    with room.runtime.database.write() as db:
        site.put(db, "recording_days", 3, SYSTEM)
    both_agree(room)
    keep(room, (people(room)[0], b"hello"))
    end(room)
    work(room)
    clock.advance(timedelta(days=3, seconds=-60))
    Worker(room.runtime).tick()
    work(room)
    assert the_recording(room).state == "ready"
    clock.advance(timedelta(minutes=11))
    Worker(room.runtime).tick()
    work(room)
    assert (the_recording(room).state, in_storage(room)) == ("deleted", [])


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_blocks_come_out_of_pieces_as_they_went_in(size: int) -> None:
    blocks = [("1", b"a" * 100), ("22", b""), ("1", b"b")]
    whole = b"".join(converting.pack(blocks))
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert list(converting.unpack(pieces)) == blocks
    assert list(converting.unpack([whole[:-1]])) == blocks[:-1]
