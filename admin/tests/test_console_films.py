"""A film that could not be made: the room's page says why, and an operator has it made again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.audit.models import AuditEntry
from helpouts.jobs.models import Job
from helpouts.runtime import Runtime
from helpouts.sessions import service as rooms
from helpouts.sessions.recording_models import Recording, RecordingSegment
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

Enter = Callable[..., FlaskClient]
Send = Callable[..., Any]
OFFER = "Make the film again"


@pytest.fixture
def failed(runtime: Runtime) -> tuple[int, int]:
    """(room, recording): its film has failed, its packets are there."""
    with runtime.database.write() as db:
        room = rooms.session_of(db, make_booking(db, make_listing(db, make_expert(db)), make_customer(db)))
        assert room is not None
        row = Recording(session_id=room.id, transport="aiortc", state="failed", error="out of memory")
        db.add(row)
        db.flush()
        db.add(RecordingSegment(recording_id=row.id, reference="folder:x", size=1))
        return room.id, row.id


def test_an_operator_has_a_film_made_again_with_a_reason(
    runtime: Runtime, failed: tuple[int, int], enter: Enter, send: Send
) -> None:
    room, number = failed
    client = enter("support")
    page = client.get(f"/console/rooms/details/?id={room}").text
    assert OFFER in page
    assert "out of memory" in page
    assert send(client, f"/console/rooms/{room}/film/", **{"film-reason": ""}).status_code == 400
    assert send(client, f"/console/rooms/{room}/film/", **{"film-reason": "More memory now"}).status_code == 303
    with runtime.database.read() as db:
        assert (db.get_one(Recording, number).state, db.get_one(Recording, number).error) == ("preparing", "")
        assert [job.payload for job in db.scalars(select(Job).where(Job.kind == "recording.convert"))] == [
            {"recording": number}
        ]
        entry = db.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (entry.action, entry.reason) == ("recording.retry", "More memory now")
    page = client.get(f"/console/rooms/details/?id={room}").text
    assert OFFER not in page
    assert send(client, f"/console/rooms/{room}/film/", **{"film-reason": "Twice"}).status_code == 400


def test_nothing_is_offered_without_packets_nor_to_others(
    runtime: Runtime, failed: tuple[int, int], enter: Enter, send: Send
) -> None:
    room, number = failed
    assert send(enter("curator"), f"/console/rooms/{room}/film/", **{"film-reason": "Please"}).status_code == 403
    with runtime.database.write() as db:
        db.delete(db.scalars(select(RecordingSegment)).one())
    assert OFFER not in enter("support").get(f"/console/rooms/details/?id={room}").text
    with runtime.database.read() as db:
        assert db.get_one(Recording, number).state == "failed"
