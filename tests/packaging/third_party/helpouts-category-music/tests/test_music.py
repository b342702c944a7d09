"""Music keeps the contract of a category."""

from __future__ import annotations

import acme_music

from helpouts.testing.categories import CategoryContract


class TestMusic(CategoryContract):
    plugin = acme_music
    name = "category_music"
