"""What the worker does with recordings: makes films, takes what is not needed any more out of the storage."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session as DbSession

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.jobs.models import Job
from helpouts.jobs.service import enqueue, handler
from helpouts.runtime import Runtime
from helpouts.sessions import converting
from helpouts.sessions.recording_models import Recording, RecordingSegment
from helpouts.sessions.states import RECORDING
from helpouts.storage import StorageMissing, service

log = structlog.get_logger("helpouts.recording")
Effect = Callable[[DbSession], None]
PIECE = 1024 * 1024


@handler("recording.convert", outside=True, long=True)
def convert(runtime: Runtime, job_id: int, payload: Mapping[str, Any]) -> Effect | None:
    """Make the film of a recording; doing it again makes the same film under another name, and the last one counts.

    What goes wrong is raised, so that the worker tries again; the last attempt says that the film failed, and why.
    """
    with runtime.database.read() as db:
        row = db.get(Recording, payload["recording"])
        if row is None or row.state != "preparing":
            return None
        job = db.get_one(Job, job_id)
        last = job.attempts >= job.max_attempts
        booking = row.session.booking
        people = [str(booking.host_id), str(booking.customer_id)]
        public_id = row.public_id
        transport = runtime.registry.video_transport(row.transport)
        segments = list(
            db.scalars(
                select(RecordingSegment.reference)
                .where(RecordingSegment.recording_id == row.id)
                .order_by(RecordingSegment.id)
            )
        )
    if not segments or transport.convert is None:
        return failed(payload["recording"], "nothing was recorded")
    # Without a name: of a worker that is killed nothing unsealed stays on the disk.
    with tempfile.TemporaryFile(dir=scratch(runtime)) as film:
        try:
            converting.run(transport.convert, _blocks(runtime, segments), people, film)
            size = film.seek(0, os.SEEK_END)
            film.seek(0)
            name = f"recordings/{public_id}/film-{job_id}-{clock.now().timestamp():.0f}.webm"
            reference = service.store(runtime, name, iter(lambda: film.read(PIECE), b""))
        except Exception as error:
            if not last:
                raise  # tried again
            log.error("a recording could not be converted", recording=public_id, error=str(error))
            return failed(payload["recording"], str(error))
    return _finished(payload["recording"], reference, size)


def scratch(runtime: Runtime) -> Path:
    """The folder for what is unsealed for a while."""
    folder = runtime.config.data_dir / "tmp"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def _blocks(runtime: Runtime, segments: list[str]) -> Iterator[tuple[str, bytes]]:
    for reference in segments:
        yield from converting.unpack(service.load(runtime, reference))


def _finished(recording_id: int, reference: str, size: int) -> Effect:
    def effect(db: DbSession) -> None:
        row = db.get_one(Recording, recording_id, with_for_update={"of": Recording})
        row.reference, row.size = reference, size
        if row.state == "preparing":
            RECORDING.apply(db, row, "finish", SYSTEM)
        enqueue(db, "recording.erase", {"recording": row.id})  # the packets; all, if it was deleted meanwhile

    return effect


def failed(recording_id: int, why: str) -> Effect:
    """The effect that says so, unless the recording is deleted."""

    def effect(db: DbSession) -> None:
        row = db.get_one(Recording, recording_id, with_for_update={"of": Recording})
        if row.state == "preparing":
            row.error = why
            RECORDING.apply(db, row, "fail", SYSTEM, why[:200])

    return effect


@handler("recording.erase", outside=True)
def erase(runtime: Runtime, _job_id: int, payload: Mapping[str, Any]) -> Effect | None:
    """Take out of the storage what is not needed: the packets of a film that is ready, everything of a deleted one.

    By what is found under the recording's name, so that films of conversions that died are found, too.
    """
    with runtime.database.read() as db:
        row = db.get(Recording, payload["recording"])
        if row is None or row.state not in ("ready", "deleted"):
            return None
        kept = row.reference if row.state == "ready" else ""
        segments = list(db.scalars(select(RecordingSegment.reference).where(RecordingSegment.recording_id == row.id)))
        film, public_id = row.reference, row.public_id
    places = {reference.partition(":")[0] for reference in [film, *segments] if reference}
    found = {*segments, film} - {""}
    for place in places:
        found.update(service.references(runtime, f"recordings/{public_id}/", place))
    for reference in found - {kept}:
        try:
            service.remove(runtime, reference)
        except StorageMissing:
            continue

    def effect(db: DbSession) -> None:
        db.execute(delete(RecordingSegment).where(RecordingSegment.recording_id == payload["recording"]))
        row = db.get_one(Recording, payload["recording"])
        if row.state == "deleted":
            row.reference, row.size = "", 0

    return effect
