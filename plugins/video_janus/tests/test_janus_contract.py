"""The transport keeps to the contract, with a real Janus behind it."""

from __future__ import annotations

from typing import Any

import helpouts_video_janus as plugin
import pytest

from helpouts.sessions import VideoTransport
from helpouts.testing.video import VideoTransportContract

DEFAULTS = {setting.key: setting.default for setting in plugin.helpouts_settings()}


class TestJanus(VideoTransportContract):
    package = "helpouts_video_janus"

    @pytest.fixture(autouse=True)
    def on_a_server(self, janus: Any) -> None:
        own = {"servers": [janus.url], "api_secret": janus.api_secret, "admin_key": janus.admin_key}
        self.settings = DEFAULTS | own
        self.secrets = (janus.api_secret, janus.admin_key)

    def transport(self) -> VideoTransport:
        return next(iter(plugin.helpouts_video_transports()))
