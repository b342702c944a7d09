"""The storage that every site has: a folder in the data folder, one file for each object."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpouts.i18n import lazy_gettext as _l
from helpouts.storage.backend import StorageBackend, StorageContext, StorageError, StorageFull, StorageMissing

PIECE = 256 * 1024
#: Begins the name of a file that is being written; names of objects begin with a letter or digit.
_DRAFT = ".draft-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FolderStorage:
    """Implements :class:`helpouts.storage.Storage` on a local folder, readable by its owner only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        """Write a temporary file, flush it to the disk, rename it, flush the folder."""
        path = self._root / name
        draft = path.with_name(f"{_DRAFT}{secrets.token_hex(8)}")
        size = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    size += file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _flush_folder(path.parent)
        except OSError as error:
            kind = StorageFull if error.errno in _FULL else StorageError
            raise kind(_said(error, name)) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        return size

    def get(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Read the file in pieces; it is opened at once, so a later deletion does not disturb."""
        try:
            file = (self._root / name).open("rb")
            file.seek(start)
        except OSError as error:
            raise _trouble(error, name) from error
        return _pieces(file, name, None if end is None else end - start)

    def size(self, name: str) -> int:
        """The file's size."""
        try:
            found = (self._root / name).stat()
        except OSError as error:
            raise _trouble(error, name) from error
        if not stat.S_ISREG(found.st_mode):
            raise StorageMissing(name)
        return found.st_size

    def delete(self, name: str) -> None:
        """Remove the file, and folders that are empty then."""
        path = self._root / name
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise _trouble(error, name) from error
        with contextlib.suppress(OSError):  # not empty, or another has removed it
            for folder in path.parents:
                if folder == self._root:
                    break
                folder.rmdir()

    def names(self, prefix: str = "") -> Iterator[str]:
        """Walk the folders that the prefix names."""
        top = self._root / prefix.rpartition("/")[0]
        found = (
            path.relative_to(self._root).as_posix()
            for path in top.rglob("*")
            if not path.name.startswith(_DRAFT) and path.is_file()
        )
        return iter(sorted(name for name in found if name.startswith(prefix)))


def _pieces(file: object, name: str, left: int | None) -> Iterator[bytes]:
    with file:  # type: ignore[attr-defined]  # a binary file; its class differs between systems
        while left is None or left > 0:
            try:
                piece = file.read(PIECE if left is None else min(left, PIECE))  # type: ignore[attr-defined]  # as above
            except OSError as error:
                raise _trouble(error, name) from error
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _trouble(error: OSError, name: str) -> StorageError | StorageMissing:
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return StorageMissing(name)
    return StorageError(_said(error, name))


def _said(error: OSError, name: str) -> str:
    return f"{name} in the folder of stored files: {error.strerror}"


def _open(context: StorageContext) -> FolderStorage:
    return FolderStorage(context.data_dir / "storage")


FOLDER = StorageBackend(
    "folder",
    _l("Folder"),
    _l("Files in the data folder of this machine; several machines need a folder that they share."),
    _open,
)
