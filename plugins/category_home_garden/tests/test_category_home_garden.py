"""Home and garden keeps the contract of a category."""

from __future__ import annotations

import helpouts_category_home_garden

from helpouts.testing.categories import CategoryContract


class TestCategory(CategoryContract):
    plugin = helpouts_category_home_garden
    name = "category_home_garden"
