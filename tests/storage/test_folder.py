"""The storage that every site has."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from helpouts.storage import Storage, StorageContext, StorageFull
from helpouts.storage.folder import FOLDER
from helpouts.testing.storage import StorageContract


class TestFolder(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        return FOLDER.open(StorageContext(tmp_path, {}))


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    FOLDER.open(StorageContext(tmp_path, {})).put("a/b", [b"x"])
    assert (tmp_path / "storage" / "a" / "b").stat().st_mode & 0o077 == 0
    assert (tmp_path / "storage" / "a").stat().st_mode & 0o077 == 0


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    storage = FOLDER.open(StorageContext(tmp_path, {}))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull, match="No space left"):
        storage.put("a/b", [b"x"])
    assert list(storage.names()) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_process_left_half_written_is_no_object(tmp_path: Path) -> None:
    storage: Any = FOLDER.open(StorageContext(tmp_path, {}))
    storage.put("a/b", [b"x"])
    (tmp_path / "storage" / "a" / ".draft-0123").write_bytes(b"half")
    assert list(storage.names()) == ["a/b"]
