"""Web Push keeps the contract of a channel."""

from __future__ import annotations

import helpouts_notify_webpush
import pytest
from push_service import PushService, sign_up

from helpouts.runtime import Runtime
from helpouts.testing.notices import NotificationChannelContract


class TestWebPush(NotificationChannelContract):
    plugin = helpouts_notify_webpush
    name = "notify_webpush"
    push: PushService

    @pytest.fixture(autouse=True)
    def far_end(self, push: PushService) -> None:
        self.push = push

    def set_up(self, runtime: Runtime, user_id: int) -> None:
        sign_up(runtime, user_id, self.push.browser())

    def arrived(self) -> list[tuple[str, str, str]]:
        return [(message["title"], message["body"], message["url"]) for message in self.push.messages()]

    def break_down(self) -> None:
        self.push.status["*"] = 503

    def mend(self) -> None:
        self.push.status.clear()
