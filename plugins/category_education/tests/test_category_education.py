"""Education keeps the contract of a category."""

from __future__ import annotations

import helpouts_category_education

from helpouts.testing.categories import CategoryContract


class TestCategory(CategoryContract):
    plugin = helpouts_category_education
    name = "category_education"
