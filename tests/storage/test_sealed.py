"""What lies in a storage tells nothing and cannot be changed unnoticed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpouts.errors import HelpoutsError
from helpouts.storage import Storage, StorageContext, StorageDamaged, StorageMissing, check_name, sealed
from helpouts.storage.folder import FOLDER

MASTER = secrets.token_bytes(32)
STORED = sealed.NONCE + sealed.PIECE + sealed.TAG
#: Three pieces: two whole ones and a short one.
PLAIN = b"".join(bytes([number % 251]) * 1000 for number in range(2500))


class Counting:
    """A storage in memory that counts the bytes that are read."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.read = 0

    def put(self, name: str, chunks: object) -> int:
        self.kept[name] = b"".join(chunks)  # type: ignore[arg-type]  # an iterable of bytes
        return len(self.kept[name])

    def get(self, name: str, start: int = 0, end: int | None = None) -> object:
        found = self.kept[name][start:end]
        self.read += len(found)
        return iter([found])

    def size(self, name: str) -> int:
        return len(self.kept[name])


def stored(plain: bytes = PLAIN, name: str = "thing") -> Counting:
    storage = Counting()
    storage.put(name, sealed.seal(MASTER, name, [plain]))
    return storage


def opened(storage: object, name: str = "thing", start: int = 0, end: int | None = None) -> bytes:
    return b"".join(sealed.unseal(MASTER, storage, name, start, end))  # type: ignore[arg-type]  # stands in for one


@pytest.mark.parametrize("size", [0, 1, sealed.PIECE - 1, sealed.PIECE, sealed.PIECE + 1, 2 * sealed.PIECE])
def test_every_size_is_read_again_and_known_beforehand(size: int) -> None:
    plain = secrets.token_bytes(size)
    storage = stored(plain)
    assert opened(storage) == plain
    assert sealed.plain_size("thing", storage.size("thing")) == size


@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, len(PLAIN) + 5), length=st.integers(0, len(PLAIN)))
def test_any_part_is_what_the_whole_has_there(start: int, length: int) -> None:
    assert opened(STORAGE, start=start, end=start + length) == PLAIN[start : start + length]


STORAGE = stored()


def test_a_part_reads_only_the_pieces_that_have_it() -> None:
    storage = stored()
    assert opened(storage, start=sealed.PIECE + 10, end=sealed.PIECE + 20) == PLAIN[sealed.PIECE + 10 :][:10]
    assert storage.read == sealed.HEAD + STORED


def test_nothing_of_the_plain_bytes_lies_in_the_storage() -> None:
    assert b"a secret sentence" not in stored(b"a secret sentence" * 1000).kept["thing"]
    assert stored().kept["thing"] != stored().kept["thing"], "the same twice must not look the same"


def _piece(number: int) -> slice:
    return slice(sealed.HEAD + number * STORED, sealed.HEAD + (number + 1) * STORED)


def flipped(data: bytes) -> bytes:
    return data[:500_000] + bytes([data[500_000] ^ 1]) + data[500_001:]


def swapped(data: bytes) -> bytes:
    return data[: sealed.HEAD] + data[_piece(1)] + data[_piece(0)] + data[_piece(2)]


def cut_at_a_piece(data: bytes) -> bytes:
    return data[: sealed.HEAD + 2 * STORED]


def without_the_middle(data: bytes) -> bytes:
    return data[: sealed.HEAD] + data[_piece(0)] + data[_piece(2)]


def repeated(data: bytes) -> bytes:
    return data + data[_piece(2)]


@pytest.mark.parametrize(
    "change",
    [flipped, swapped, cut_at_a_piece, without_the_middle, repeated, lambda d: d[:-1], lambda d: d[:40], lambda d: b""],
)
def test_what_was_changed_does_not_open(change: Callable[[bytes], bytes]) -> None:
    storage = stored()
    storage.kept["thing"] = change(storage.kept["thing"])
    with pytest.raises(StorageDamaged):
        opened(storage)


def test_an_object_under_another_name_does_not_open() -> None:
    storage = stored()
    storage.kept["other"] = storage.kept["thing"]
    with pytest.raises(StorageDamaged):
        opened(storage, "other")


def test_pieces_of_two_versions_do_not_mix() -> None:
    storage, other = stored(), stored()
    mixed = (
        storage.kept["thing"][: sealed.HEAD] + other.kept["thing"][_piece(0)] + storage.kept["thing"][_piece(1).start :]
    )
    storage.kept["thing"] = mixed
    with pytest.raises(StorageDamaged):
        opened(storage)


def test_it_works_over_a_real_folder(tmp_path: Path) -> None:
    storage: Storage = FOLDER.open(StorageContext(tmp_path, {}))
    storage.put("x/y", sealed.seal(MASTER, "x/y", (PLAIN[at : at + 77_777] for at in range(0, len(PLAIN), 77_777))))
    assert opened(storage, "x/y") == PLAIN
    assert opened(storage, "x/y", sealed.PIECE - 3, sealed.PIECE + 3) == PLAIN[sealed.PIECE - 3 :][:6]
    with pytest.raises(StorageMissing):
        opened(storage, "x/z")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        ".hidden",
        "a/.b",
        "A",
        "a b",
        "a\0",
        "a\\b",
        "ä",
        "a..b",
        "a.",
        "x" * 201,
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(HelpoutsError):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "recordings/abc-1_2/00001.rtp", "a.b.c", "x" * 200])
def test_plain_names_are_good(name: str) -> None:
    assert check_name(name) == name
