"""Information technology: a category.  Only hooks here; see :mod:`.content` and :mod:`.examples`."""

from __future__ import annotations

from helpouts.catalog import Category
from helpouts.hookspecs import hookimpl
from helpouts_category_it.content import CATEGORY


@hookimpl
def helpouts_categories() -> tuple[Category, ...]:
    """The one category of this plugin."""
    return (CATEGORY,)
