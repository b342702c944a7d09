# ruff: noqa: D102  # the names of the tests are sentences
"""The conformance suite of a storage backend.

Subclass :class:`StorageContract` in the plugin's own tests and bring an opened, empty storage::

    class TestShelf(StorageContract):
        @pytest.fixture
        def storage(self, tmp_path): ...  # what StorageBackend.open returned
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from helpouts.storage import Storage, StorageMissing

MIB = 1024 * 1024


def _read(storage: Storage, name: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(storage.get(name, start, end))


def _large(size: int) -> Iterator[bytes]:
    """``size`` bytes that differ from place to place, in uneven chunks."""
    pattern = bytes(range(251)) * 400
    at = 0
    while at < size:
        chunk = pattern[: min(len(pattern), size - at)]
        at += len(chunk)
        yield chunk


class StorageContract:
    """What every storage must keep.  The fixture ``storage`` gives an empty one."""

    def test_it_has_all_methods(self, storage: Storage) -> None:
        assert isinstance(storage, Storage)

    @pytest.mark.parametrize("content", [b"", b"x", b"\0" * 70_000], ids=["empty", "a byte", "zeros"])
    def test_what_was_put_is_read_again(self, storage: Storage, content: bytes) -> None:
        assert storage.put("a/b/c-1.bin", [content]) == len(content)
        assert _read(storage, "a/b/c-1.bin") == content
        assert storage.size("a/b/c-1.bin") == len(content)

    def test_a_large_object_in_many_chunks_is_read_again(self, storage: Storage) -> None:
        size = 20 * MIB + 7
        assert storage.put("large", _large(size)) == size
        assert storage.size("large") == size
        assert _read(storage, "large") == b"".join(_large(size))

    @pytest.mark.parametrize(("start", "end"), [(0, 1), (1, 5), (3, None), (9, 10), (4, 4)])
    def test_a_part_is_read_alone(self, storage: Storage, start: int, end: int | None) -> None:
        storage.put("part", [b"0123456789"])
        assert _read(storage, "part", start, end) == b"0123456789"[start:end]

    def test_an_object_of_the_same_name_is_replaced(self, storage: Storage) -> None:
        storage.put("again", [b"first and longer"])
        storage.put("again", [b"second"])
        assert _read(storage, "again") == b"second"

    def test_what_is_not_there_is_missing(self, storage: Storage) -> None:
        storage.put("folder/thing", [b"x"])
        for name in ("nothing", "folder", "folder/thing/more", "folder/other"):
            with pytest.raises(StorageMissing):
                storage.size(name)
            with pytest.raises(StorageMissing):
                _read(storage, name)

    def test_deleting_is_final_and_may_be_repeated(self, storage: Storage) -> None:
        storage.put("x/one", [b"1"])
        storage.put("x/two", [b"2"])
        storage.delete("x/one")
        storage.delete("x/one")
        storage.delete("x/never/was")
        assert list(storage.names("x/")) == ["x/two"]
        with pytest.raises(StorageMissing):
            storage.size("x/one")
        storage.put("x/one", [b"new"])
        assert _read(storage, "x/one") == b"new"

    def test_names_are_found_by_their_beginning_and_in_order(self, storage: Storage) -> None:
        for name in ("b/2", "b/10", "a", "bb", "b/1/deep"):
            storage.put(name, [b"x"])
        assert list(storage.names()) == sorted(["a", "b/1/deep", "b/10", "b/2", "bb"])
        assert list(storage.names("b/1")) == ["b/1/deep", "b/10"]
        assert list(storage.names("b")) == ["b/1/deep", "b/10", "b/2", "bb"]
        assert list(storage.names("zebra/")) == []

    def test_a_source_that_breaks_off_leaves_nothing(self, storage: Storage) -> None:
        def broken() -> Iterator[bytes]:
            yield b"x" * 100_000
            raise RuntimeError("the source broke off")

        storage.put("kept", [b"before"])
        for name in ("kept", "new"):
            with pytest.raises(RuntimeError, match="broke off"):
                storage.put(name, broken())
        assert _read(storage, "kept") == b"before"
        assert list(storage.names()) == ["kept"]

    def test_it_is_used_from_several_threads(self, storage: Storage) -> None:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for turn in range(5):
                    storage.put(f"t/{number}", [bytes([number]) * 1000 * (turn + 1)])
                    assert _read(storage, f"t/{number}") == bytes([number]) * 1000 * (turn + 1)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(list(storage.names("t/"))) == 4
