"""The transport keeps to the contract, with and without TURN servers."""

from __future__ import annotations

import helpouts_video_p2p as plugin

from helpouts.sessions import VideoTransport
from helpouts.testing.video import VideoTransportContract

DEFAULTS = {setting.key: setting.default for setting in plugin.helpouts_settings()}


class TestDirect(VideoTransportContract):
    package = "helpouts_video_p2p"
    settings = DEFAULTS

    def transport(self) -> VideoTransport:
        return next(iter(plugin.helpouts_video_transports()))


class TestWithTurn(TestDirect):
    settings = DEFAULTS | {"turn_urls": ["turn:turn.example:3478"], "turn_secret": "the-shared-secret"}
    secrets = ("the-shared-secret",)
