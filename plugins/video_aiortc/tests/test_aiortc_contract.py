"""The relay keeps to the contract of video transports."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import ClassVar

import helpouts_video_aiortc as plugin
import pytest
from helpouts_video_aiortc.driver import running

from helpouts.sessions import TransportContext, TransportError, VideoTransport
from helpouts.testing.video import VideoTransportContract


class TestRelay(VideoTransportContract):
    package = "helpouts_video_aiortc"
    settings: ClassVar = {setting.key: setting.default for setting in plugin.helpouts_settings()}

    def transport(self) -> VideoTransport:
        return next(iter(plugin.helpouts_video_transports()))


def test_defaults_of_settings_have_the_declared_type_and_lie_within_bounds() -> None:
    for setting in plugin.helpouts_settings():
        assert type(setting.default) is setting.type
        if setting.minimum is not None and setting.maximum is not None:
            assert setting.minimum <= setting.default <= setting.maximum


def test_loading_the_plugin_and_asking_its_hooks_does_not_load_the_media_libraries() -> None:
    program = (
        "import sys, helpouts_video_aiortc as plugin;"
        "plugin.helpouts_video_transports(); plugin.helpouts_settings(); plugin.helpouts_live_routes();"
        "plugin.helpouts_health_checks();"
        "sys.exit(bool({'aiortc', 'aioice', 'pylibsrtp', 'av'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_routes_are_those_of_the_signalling() -> None:
    assert [(route.method, route.path) for route in plugin.helpouts_live_routes()] == [
        ("POST", "/legs"),
        ("PATCH", "/legs/{leg}"),
        ("POST", "/legs/{leg}/offer"),
        ("POST", "/legs/{leg}/restart"),
        ("DELETE", "/legs/{leg}"),
    ]


def context_of(**settings: object) -> TransportContext:
    async def send(room: str, participant: str, message: dict[str, object]) -> None: ...

    return TransportContext(lambda: TestRelay.settings | settings, send, "https://live.example", "node-1")


@pytest.mark.parametrize("wrong", [{"public_ip": "relay.example"}, {"public_ip": "::1"}, {"bind": "203.0.113.9"}])
async def test_settings_that_cannot_work_are_refused_at_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(TransportError, match=r"public_ip|bind"):
        await TestRelay().transport().start(context_of(**wrong))
    assert running() is None


async def test_a_tcp_port_that_is_taken_is_refused_and_not_missed_when_tcp_is_off() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(TransportError, match=f"TCP port {number}.*switch tcp off"):
            await TestRelay().transport().start(context_of(bind="127.0.0.1", port=number))
        assert running() is None
        driver = await TestRelay().transport().start(context_of(bind="127.0.0.1", port=number, tcp=False))
        await driver.stop()
