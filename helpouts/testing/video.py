# ruff: noqa: D102 # the names of the checks are sentences
"""The conformance suite of video transports.

A plugin's tests subclass it::

    class TestMyTransport(VideoTransportContract):
        package = "my_package"
        settings = {"server": "https://media.example"}
        secrets = ("the-api-secret",)

        def transport(self) -> VideoTransport:
            return next(iter(my_package.helpouts_video_transports()))

Each check starts a driver of its own and stops it.  What only two browsers can show (pictures arrive, a reload
brings them back) is for the browser tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields
from importlib import import_module
from importlib.resources import files
from typing import Any, ClassVar

from helpouts.sessions import (
    JoinGrant,
    MediaRoom,
    RecordingDriver,
    TransportCapabilities,
    TransportContext,
    TransportDriver,
    VideoTransport,
)

Scenario = Callable[[TransportDriver], Awaitable[None]]
ROOM = "conformance-room"


def _open_files() -> int | None:
    """How many file descriptors this process has, None where the system does not say."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None


class VideoTransportContract:
    """What every :class:`helpouts.sessions.VideoTransport` keeps to."""

    package: ClassVar[str]
    """Import name of the plugin's package, below which the ES module lies."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings that the driver is started with, complete."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Values among the settings that no browser may see."""

    def transport(self) -> VideoTransport:
        """The record under test."""
        raise NotImplementedError("return the plugin's VideoTransport")

    async def send(self, room_id: str, participant_id: str, message: dict[str, Any]) -> None:
        """Receives what the driver sends to browsers; override it to look."""
        json.dumps(message)

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[TransportDriver]:
        """A running driver, stopped at the end."""
        context = TransportContext(lambda: dict(self.settings), self.send, "https://live.example", "node-1")
        driver = await self.transport().start(context)
        try:
            yield driver
        finally:
            await driver.stop()

    def play(self, scenario: Scenario) -> None:
        """Run a scenario with a driver of its own."""

        async def run() -> None:
            async with self.driver() as driver:
                await scenario(driver)

        asyncio.run(run())

    # -- the record --------------------------------------------------------------------------------------------

    def test_the_record_says_what_people_and_programs_need(self) -> None:
        record = self.transport()
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,30}", record.name), "a name is lower case letters, digits and _"
        assert str(record.title).strip()
        assert str(record.summary).strip()
        assert all(str(requirement).strip() for requirement in record.requirements)

    def test_the_capabilities_are_plain_truths(self) -> None:
        capabilities = self.transport().capabilities
        assert isinstance(capabilities, TransportCapabilities)
        for field in fields(capabilities):
            assert type(getattr(capabilities, field.name)) is bool, field.name
        assert capabilities.server_media or not capabilities.recording, "recording needs media on the server"

    def test_the_browser_module_is_in_the_package_and_exports_connect(self) -> None:
        path = self.transport().module
        assert path.startswith("static/")
        assert path.endswith((".js", ".mjs"))
        assert ".." not in path
        source = files(self.package).joinpath(path).read_text("utf-8")
        assert re.search(r"export\s+(async\s+)?function\s+connect\b|export\s*\{[^}]*\bconnect\b", source)
        for method in ("publish", "replaceTrack", "peerPresent", "statistics", "restart", "close"):
            assert re.search(rf"\b{method}\b", source), f"the connection has no {method}()"

    # -- rooms -------------------------------------------------------------------------------------------------

    def test_a_room_can_be_opened_and_closed_again_and_again(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            assert isinstance(driver, TransportDriver)
            first = await driver.open_room(ROOM)
            assert isinstance(first, dict)
            json.dumps(first)
            room = MediaRoom(ROOM, await driver.open_room(ROOM))
            for _time in range(2):
                await driver.close_room(room)

        self.play(scenario)

    def test_closing_a_room_that_was_never_opened_is_no_error(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            await driver.close_room(MediaRoom("never-opened"))

        self.play(scenario)

    # -- participants ------------------------------------------------------------------------------------------

    def test_a_grant_is_json_short_lived_and_holds_no_secret(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            grant = await driver.admit(MediaRoom(ROOM, await driver.open_room(ROOM)), "ann", "Ann")
            assert isinstance(grant, JoinGrant)
            text = json.dumps(grant.config)
            assert json.loads(text) == grant.config, "the browser gets what JSON keeps of it"
            assert 0 < grant.expires_in <= 60
            for secret in self.secrets:
                assert secret not in text, "a secret of the settings is in the grant"

        self.play(scenario)

    def test_no_two_grants_are_the_same(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            room = MediaRoom(ROOM, await driver.open_room(ROOM))
            texts = [json.dumps((await driver.admit(room, who, "Name")).config) for who in ("ann", "bob", "ann")]
            assert len(set(texts)) == 3

        self.play(scenario)

    def test_admitting_somebody_again_takes_no_second_seat(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            room = MediaRoom(ROOM, await driver.open_room(ROOM))
            for _reload in range(5):
                await driver.admit(room, "ann", "Ann")
            await driver.admit(room, "bob", "Bob")

        self.play(scenario)

    def test_dismissing_is_idempotent_and_knows_no_strangers(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            room = MediaRoom(ROOM, await driver.open_room(ROOM))
            await driver.dismiss(room, "nobody")
            await driver.admit(room, "ann", "Ann")
            for _time in range(2):
                await driver.dismiss(room, "ann")
            await driver.admit(room, "ann", "Ann")
            await driver.close_room(room)
            await driver.dismiss(room, "ann")

        self.play(scenario)

    def test_a_transport_that_records_is_whole(self) -> None:
        record = self.transport()
        if not record.capabilities.recording:
            assert record.convert is None, "say so in the capabilities"
            return
        assert record.convert is not None, "recording needs convert"
        assert getattr(import_module(record.convert.__module__), record.convert.__qualname__) is record.convert

        async def scenario(driver: TransportDriver) -> None:
            assert isinstance(driver, RecordingDriver)
            room = MediaRoom(ROOM, await driver.open_room(ROOM))
            await driver.stop_recording(room)
            for _time in range(2):
                await driver.start_recording(room, lambda _participant, _data: None)
            await driver.admit(room, "ann", "Ann")
            for _time in range(2):
                await driver.stop_recording(room)
            await driver.start_recording(room, lambda _participant, _data: None)
            await driver.close_room(room)
            await driver.stop_recording(room)

        self.play(scenario)

    def test_messages_of_browsers_are_not_trusted(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            room = MediaRoom(ROOM, await driver.open_room(ROOM))
            await driver.admit(room, "ann", "Ann")
            for message in ({}, {"nonsense": [1, {"a": None}]}, {"type": 7}, {"sdp": "x" * 10_000}):
                await driver.on_signal(room, "ann", message)
                await driver.on_signal(room, "stranger", message)
                await driver.on_signal(MediaRoom("never-opened"), "ann", message)

        self.play(scenario)

    # -- the process -------------------------------------------------------------------------------------------

    def test_the_counters_are_numbers_with_plain_names(self) -> None:
        async def scenario(driver: TransportDriver) -> None:
            room = MediaRoom(ROOM, await driver.open_room(ROOM))
            await driver.admit(room, "ann", "Ann")
            found = driver.statistics()
            assert json.loads(json.dumps(found)) == found
            assert {"rooms", "legs"} <= set(found)
            for key, value in found.items():
                assert re.fullmatch(r"[a-z][a-z0-9_]*", key), key
                assert type(value) in (int, float), f"{key} is no number"

        self.play(scenario)

    def test_stopping_frees_tasks_and_sockets_and_can_be_repeated(self) -> None:
        async def life() -> TransportDriver:
            async with self.driver() as driver:
                room = MediaRoom(ROOM, await driver.open_room(ROOM))
                await driver.admit(room, "ann", "Ann")
                await driver.admit(room, "bob", "Bob")
            return driver

        async def run() -> None:
            await life()  # what is opened once and kept by libraries does not count
            files_before, tasks_before = _open_files(), asyncio.all_tasks()
            driver = await life()
            await driver.stop()
            assert asyncio.all_tasks() == tasks_before
            assert _open_files() == files_before

        asyncio.run(run())
