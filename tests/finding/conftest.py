"""The fields of help, and the makers of people and listings, of the tests of the catalog."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpouts.catalog import Category
from helpouts.hookspecs import hookimpl
from helpouts.registry import Registry

sys.path.insert(0, str(Path(__file__).parents[1] / "catalog"))

from shop import MUSIC, REPAIR  # needs the line above


class _Plugin(ModuleType):
    def __init__(self, category: Category) -> None:
        super().__init__("")  # no package, so no catalogues to look for
        self.helpouts_categories = hookimpl(lambda: (category,), specname="helpouts_categories")


@pytest.fixture(scope="session")
def registry_factory() -> Any:
    """Two categories and nothing else."""

    def make() -> Registry:
        registry = Registry()
        for name, category in (("category_repair", REPAIR), ("category_music", MUSIC)):
            registry.add(name, lambda c=category: _Plugin(c), "test", "1")
        return registry

    return make
