"""Zones as people call them."""

from __future__ import annotations

import pytest

from helpouts.accounts import zones
from helpouts.i18n import use_locale


@pytest.mark.parametrize(
    ("locale", "zone", "name"),
    [
        ("en", "America/New_York", "New York"),
        ("en", "Asia/Tokyo", "Tokyo"),
        ("de", "Asia/Tokyo", "Tokio"),
        ("de", "UTC", "UTC"),
    ],
)
def test_a_zone_is_called_by_its_place(locale: str, zone: str, name: str) -> None:
    with use_locale(locale):
        assert zones.place(zone) == name
