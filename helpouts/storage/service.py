"""Keeping objects: sealed, in the storage that the operator chose, found again by a reference.

A reference is ``backend:name``.  The caller keeps it in a row of its own; it stays good when the operator chooses
another backend for what comes next.  Every function talks to the outside world: call none within a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from helpouts import site
from helpouts.plugins.service import read_settings
from helpouts.runtime import Runtime
from helpouts.storage import sealed
from helpouts.storage.backend import (
    Storage,
    StorageBackend,
    StorageContext,
    StorageError,
    StorageMissing,
    check_name,
    standin_backend,
)
from helpouts.storage.folder import FOLDER

HOOK = "helpouts_storage_backends"


def backends(runtime: Runtime) -> dict[str, StorageBackend]:
    """What new objects can be stored with, by name: the folder, and what enabled plugins bring."""
    with runtime.database.read() as db:
        return {FOLDER.name: FOLDER, **runtime.registry.storage_backends(db)}


def chosen(runtime: Runtime) -> str:
    """Name of the backend for new objects: the site setting, else the configuration."""
    with runtime.database.read() as db:
        return str(site.get(db, "storage") or runtime.config.storage)


def store(runtime: Runtime, name: str, data: bytes | Iterable[bytes]) -> str:
    """Keep an object under a name that is given once (a random part in it is good); returns its reference.

    :raises StorageError: when it could not be kept; then nothing is.
    """
    backend = chosen(runtime)
    if backend not in backends(runtime):
        raise StorageError(f"the storage backend {backend!r} is not there: enable its plugin, or choose another")
    check_name(name)
    chunks = [data] if isinstance(data, bytes) else data
    _open(runtime, backend).put(name, sealed.seal(runtime.config.key("master_key"), name, chunks))
    return f"{backend}:{name}"


def load(runtime: Runtime, reference: str) -> Iterator[bytes]:
    """The object's bytes, in pieces of at most 1 MiB.

    :raises StorageMissing: when it is gone.
    :raises StorageDamaged: when it is not as it was stored; what came before was.
    """
    return load_range(runtime, reference, 0, None)


def load_range(runtime: Runtime, reference: str, start: int, end: int | None) -> Iterator[bytes]:
    """The bytes from ``start`` up to, not including, ``end``; only what is needed is read and opened."""
    storage, name = _find(runtime, reference)
    return sealed.unseal(runtime.config.key("master_key"), storage, name, start, end)


def size_of(runtime: Runtime, reference: str) -> int:
    """How many bytes the object has, before it was sealed.

    :raises StorageMissing: when it is gone.
    """
    storage, name = _find(runtime, reference)
    return sealed.plain_size(name, storage.size(name))


def remove(runtime: Runtime, reference: str) -> None:
    """Forget an object; no error when it is gone already."""
    storage, name = _find(runtime, reference)
    storage.delete(name)


def references(runtime: Runtime, prefix: str, backend: str = "") -> Iterator[str]:
    """References of everything in one backend (the chosen one, unless named) whose name begins with ``prefix``."""
    where = backend or chosen(runtime)
    for name in _open(runtime, where).names(prefix):
        yield f"{where}:{name}"


def _find(runtime: Runtime, reference: str) -> tuple[Storage, str]:
    backend, colon, name = reference.partition(":")
    if not colon:
        raise StorageMissing(reference)
    return _open(runtime, backend), check_name(name)


def _open(runtime: Runtime, name: str) -> Storage:
    """An opened storage by its stored name, enabled or not: history stays readable."""
    if name == FOLDER.name:
        return FOLDER.open(StorageContext(runtime.config.data_dir, {}))
    registry = runtime.registry
    plugin = registry.plugin_of(HOOK, name)
    if plugin is None:
        return standin_backend(name).open(StorageContext(runtime.config.data_dir, {}))
    with runtime.database.read() as db:
        settings = read_settings(db, plugin)
    return registry.storage_backend(name).open(StorageContext(runtime.config.data_dir, settings))
