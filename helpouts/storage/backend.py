"""The contract of a storage backend: the plugin family that keeps large objects.

A backend keeps bytes under names.  It never sees what they mean: the core seals everything before
(:mod:`helpouts.storage.sealed`), so a backend need not encrypt.  It is called from the web, live and worker processes,
from several threads, and never within a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from helpouts.errors import HelpoutsError, NotFound, Unavailable
from helpouts.i18n import lazy_gettext as _l

MAX_NAME = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*(/[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*)*")


class StorageError(Unavailable):
    """The storage does not answer, refuses us, or is set up wrongly; try again later.

    :param detail: for the log and the operator, never shown to people.
    """

    code = "storage"

    def __init__(self, detail: str) -> None:
        super().__init__(_l("The storage of files does not answer. Please try again later."))
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


class StorageFull(StorageError):
    """There is no room left."""

    code = "storage_full"


class StorageDamaged(StorageError):
    """What is stored is not what was stored: cut off, changed, or sealed with another key."""

    code = "storage_damaged"


class StorageMissing(NotFound):
    """There is nothing of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(_l("This file does not exist any more."))
        self.name = name

    def __str__(self) -> str:
        return f"nothing is stored as {self.name!r}"


def check_name(name: str) -> str:
    """The name itself, when it is one: ``a/b/c-1.webm``, at most 200 characters, safe as a path and in an address.

    Parts of small letters, digits, ``-``, ``_`` and single dots, separated by slashes; none begins with a dot.

    :raises HelpoutsError: for any other.
    """
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise HelpoutsError(_l("“%(name)s” is not a name for a stored file.", name=name[:MAX_NAME]))
    return name


@runtime_checkable
class Storage(Protocol):
    """An opened storage.  Names have passed :func:`check_name`.

    Every method raises :class:`StorageError` when the storage cannot do it now.
    """

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        """Keep an object; returns its size in bytes.  It appears whole and durable, or not at all.

        One of that name is replaced; no name is the folder of another (``a`` and ``a/b``).  What ``chunks`` raises
        is passed on, and nothing is kept.

        :raises StorageFull: when there is no room.
        """
        ...

    def get(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` up to, not including, ``end`` (or the object's end), in pieces of any size.

        :raises StorageMissing: before the first piece.
        """
        ...

    def size(self, name: str) -> int:
        """How many bytes the object has.

        :raises StorageMissing: when there is none.
        """
        ...

    def delete(self, name: str) -> None:
        """Forget an object; no error when there is none."""
        ...

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names that begin with ``prefix``, in the order of their characters."""
        ...


@dataclass(frozen=True, slots=True)
class StorageContext:
    """What the core lends to a storage.

    :param data_dir: the site's data folder on this machine.
    :param settings: the plugin's settings, decrypted, defaults filled in.
    """

    data_dir: Path
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StorageBackend:
    """The record a plugin returns from ``helpouts_storage_backends``.

    :param name: unique, lower case, at most 40 characters; kept with every stored object, so it does not change.
    :param open: makes the :class:`Storage`; called at each use, so keep what is dear to make.
    """

    name: str
    title: object
    summary: object
    open: Callable[[StorageContext], Storage]


class GoneStorage:
    """Stands in for a storage whose plugin is not there: what it has cannot be had."""

    def __init__(self, name: str) -> None:
        self._text = f"there is no storage backend {name!r}: install and enable its plugin again"

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise StorageError(self._text)

    put = get = size = delete = names = _refuse


def standin_backend(name: str) -> StorageBackend:
    """A record for a stored name whose plugin is gone."""
    return StorageBackend(name, name, "", lambda _context: GoneStorage(name))
