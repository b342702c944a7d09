"""Consent in the room, and what the live process does with what the transport gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from helpouts.live import recorder
from helpouts.sessions import converting
from helpouts.sessions.recording_models import Recording, RecordingSegment
from helpouts.storage import StorageFull, service

from .conftest import Pair, Place, until


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SECONDS", 0.05)


def recordings(place: Place) -> list[Recording]:
    with place.site.database.read() as db:
        rows = list(db.scalars(select(Recording).order_by(Recording.id)))
        db.expunge_all()
        return rows


def kept(place: Place) -> list[tuple[str, bytes]]:
    with place.site.database.read() as db:
        rows = list(db.scalars(select(RecordingSegment.reference).order_by(RecordingSegment.id)))
    return [block for row in rows for block in converting.unpack(service.load(place.site, row))]


async def both(place: Place, pair: Pair) -> tuple[Any, Any]:
    expert = await place.enter(pair.session, pair.expert)
    customer = await place.enter(pair.session, pair.customer)
    return expert, customer


async def agreed(place: Place, pair: Pair) -> tuple[Any, Any]:
    expert, customer = await both(place, pair)
    await expert.say(type="recording", agree=True, adult=True)
    await customer.hear("recording", agreed=[pair.expert.id], running=False)
    await customer.say(type="recording", agree=True, adult=True)
    for browser in (expert, customer):
        await browser.hear("recording", running=True)
    await until(lambda: pair.session.room_id in place.driver.sinks)
    return expert, customer


def test_it_begins_with_the_second_consent_and_both_are_told(live: Callable[[], Any], pair: Pair) -> None:
    async def play() -> None:
        async with live() as place:
            await agreed(place, pair)
            sink = place.driver.sinks[pair.session.room_id]
            sink(str(pair.expert.id), b"one")
            await until(lambda: kept(place))
            sink(str(pair.customer.id), b"two")
            sink(str(pair.customer.id), b"three")
            await until(lambda: len(kept(place)) == 2)
            assert kept(place) == [(str(pair.expert.id), b"one"), (str(pair.customer.id), b"twothree")]

    asyncio.run(play())


@pytest.mark.parametrize("delete", [False, True])
def test_a_withdrawal_stops_it_at_once_and_what_was_said_before_is_kept_or_deleted(
    live: Callable[[], Any], pair: Pair, delete: bool
) -> None:
    async def play() -> None:
        async with live() as place:
            expert, customer = await agreed(place, pair)
            sink = place.driver.sinks[pair.session.room_id]
            sink(str(pair.expert.id), b"before")
            await customer.say(type="recording", agree=False, delete=delete)
            await until(lambda: pair.session.room_id not in place.driver.sinks)
            for browser in (expert, customer):
                await until(lambda b=browser: b.all("recording")[-1]["running"] is False)
            sink(str(pair.expert.id), b"after")
            await asyncio.sleep(0.2)
            assert [row.state for row in recordings(place)] == ["deleted" if delete else "preparing"]
            assert all(data == b"before" for _, data in kept(place))

    asyncio.run(play())


def test_who_comes_back_is_told_that_it_runs_and_it_is_the_same_one(live: Callable[[], Any], pair: Pair) -> None:
    async def play() -> None:
        async with live() as place:
            expert, customer = await agreed(place, pair)
            await customer.vanish()
            again = await place.enter(pair.session, pair.customer)
            welcome = await again.hear("welcome")
            assert welcome["recording"]["running"] is True
            assert len(recordings(place)) == 1
            assert expert.code is None

    asyncio.run(play())


def test_another_live_process_goes_on_with_it(live: Callable[[], Any], pair: Pair) -> None:
    async def play() -> None:
        async with live() as place:
            await agreed(place, pair)
            place.driver.sinks[pair.session.room_id](str(pair.expert.id), b"first")
        async with live() as place:
            await both(place, pair)
            await until(lambda: pair.session.room_id in place.driver.sinks)
            place.driver.sinks[pair.session.room_id](str(pair.expert.id), b"second")
            await until(lambda: len(kept(place)) == 2)
            assert [data for _, data in kept(place)] == [b"first", b"second"]
            assert [row.state for row in recordings(place)] == ["running"]

    asyncio.run(play())


def test_a_full_storage_stops_it_with_a_word_to_both_and_the_call_goes_on(
    live: Callable[[], Any], pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> str:
        raise StorageFull("No space left on device")

    async def play() -> None:
        async with live() as place:
            expert, customer = await agreed(place, pair)
            monkeypatch.setattr(service, "store", full)
            place.driver.sinks[pair.session.room_id](str(pair.expert.id), b"too much")
            for browser in (expert, customer):
                await browser.hear("error", code="storage")
                await browser.hear("recording", running=False)
            assert [(row.state, row.stop_reason) for row in recordings(place)] == [("preparing", "storage")]
            await expert.say(type="chat", client_id="1", body="still there?")
            await customer.hear("chat", body="still there?")

    asyncio.run(play())


def test_a_storage_that_hangs_does_not_fill_the_memory(
    live: Callable[[], Any], pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST", 1000)

    async def play() -> None:
        async with live() as place:
            expert, _customer = await agreed(place, pair)
            sink = place.driver.sinks[pair.session.room_id]
            for _ in range(100):
                sink(str(pair.expert.id), b"x" * 100)
            room = place.node.rooms.by_id[pair.session.room_id]
            assert room.recorder is not None
            assert room.recorder._size <= 1100
            await expert.hear("error", code="storage")

    asyncio.run(play())


def test_a_refusal_is_said_to_who_asked(live: Callable[[], Any], pair: Pair) -> None:
    async def play() -> None:
        async with live() as place:
            expert, customer = await both(place, pair)
            await expert.say(type="recording", agree=True, adult=True)
            await customer.hear("recording", agreed=[pair.expert.id])
            await customer.say(type="recording", agree=False)
            await expert.hear("recording_declined")
            assert recordings(place) == []
            await customer.say(type="recording", agree=True, adult=False)
            await customer.hear("error", code="invalid")

    asyncio.run(play())


def test_a_transport_that_fails_to_record_stops_it_with_a_word(
    live: Callable[[], Any], pair: Pair, failures: dict[str, Exception]
) -> None:
    async def play() -> None:
        async with live() as place:
            expert, customer = await both(place, pair)
            failures["start_recording"] = RuntimeError("no")
            for browser in (expert, customer):
                await browser.say(type="recording", agree=True, adult=True)
            await expert.hear("error", code="storage")
            await customer.hear("recording", running=False)

    asyncio.run(play())
