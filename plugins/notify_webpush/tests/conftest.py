"""The plugin alone, and a push service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from push_service import PushService


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    return (("notify_webpush", "helpouts_notify_webpush"),)


@pytest.fixture
def push() -> Iterator[PushService]:
    made = PushService()
    yield made
    made.stop()
