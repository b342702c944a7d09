"""Keeping objects with the backend that the operator chose."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from helpouts import hookspecs, site
from helpouts.audit.actor import SYSTEM
from helpouts.plugins.service import set_enabled
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.storage import StorageBackend, StorageError, StorageMissing, service
from helpouts.storage.folder import FolderStorage


@pytest.fixture
def shelf(runtime: Runtime, tmp_path: Path) -> Runtime:
    """A site with a second storage, another folder."""
    module = ModuleType("acme_shelf")

    def helpouts_storage_backends() -> list[StorageBackend]:
        return [StorageBackend("shelf", "Shelf", "", lambda _context: FolderStorage(tmp_path / "shelf"))]

    module.helpouts_storage_backends = hookspecs.hookimpl(helpouts_storage_backends)  # type: ignore[attr-defined]  # modules take attributes
    registry = Registry()
    assert registry.add("acme_shelf", lambda: module).loaded
    return Runtime(runtime.config, runtime.database, registry)


def choose(runtime: Runtime, name: str) -> None:
    with runtime.database.write() as db:
        site.put(db, "storage", name, SYSTEM)


def test_what_was_stored_is_loaded_in_whole_and_in_part_and_removed(runtime: Runtime) -> None:
    reference = service.store(runtime, "notes/1", [b"hello ", b"world"])
    assert reference == "folder:notes/1"
    assert b"".join(service.load(runtime, reference)) == b"hello world"
    assert b"".join(service.load_range(runtime, reference, 6, 8)) == b"wo"
    assert service.size_of(runtime, reference) == 11
    assert list(service.references(runtime, "notes/")) == [reference]
    service.remove(runtime, reference)
    service.remove(runtime, reference)
    with pytest.raises(StorageMissing):
        service.load(runtime, reference)


def test_what_lies_on_the_disk_is_sealed(runtime: Runtime) -> None:
    service.store(runtime, "notes/1", b"hello world")
    assert b"hello" not in (runtime.config.data_dir / "storage" / "notes" / "1").read_bytes()


def test_earlier_objects_stay_where_they_are_when_the_operator_chooses_another(shelf: Runtime) -> None:
    old = service.store(shelf, "a", b"old")
    choose(shelf, "shelf")
    new = service.store(shelf, "a", b"new")
    assert new == "shelf:a"
    assert [b"".join(service.load(shelf, reference)) for reference in (old, new)] == [b"old", b"new"]


def test_a_disabled_backend_takes_nothing_new_but_what_it_has_can_be_read(shelf: Runtime) -> None:
    choose(shelf, "shelf")
    reference = service.store(shelf, "a", b"x")
    with shelf.database.write() as db:
        set_enabled(db, "acme_shelf", False, SYSTEM)
    with pytest.raises(StorageError, match="'shelf' is not there"):
        service.store(shelf, "b", b"y")
    assert b"".join(service.load(shelf, reference)) == b"x"


def test_what_a_backend_has_that_is_gone_cannot_be_had(shelf: Runtime, runtime: Runtime) -> None:
    choose(shelf, "shelf")
    reference = service.store(shelf, "a", b"x")
    with pytest.raises(StorageError, match="install and enable"):
        service.load(runtime, reference)
    with pytest.raises(StorageError, match="install and enable"):
        service.remove(runtime, reference)


@pytest.mark.parametrize("name", ["folder", "a:b", "A", ""])
def test_a_backend_of_a_name_that_would_confuse_references_is_not_loaded(name: str) -> None:
    module = ModuleType("acme_bad")
    record = StorageBackend(name, "", "", lambda _context: FolderStorage(Path()))

    def helpouts_storage_backends() -> list[StorageBackend]:
        return [record]

    module.helpouts_storage_backends = hookspecs.hookimpl(helpouts_storage_backends)  # type: ignore[attr-defined]  # modules take attributes
    assert "not a name" in Registry().add("acme_bad", lambda: module).error
