"""Where the site keeps large objects: recordings, pictures, files.  Sealed by the core, kept by a backend."""

from helpouts.storage.backend import (
    Storage,
    StorageBackend,
    StorageContext,
    StorageDamaged,
    StorageError,
    StorageFull,
    StorageMissing,
    check_name,
)

__all__ = [
    "Storage",
    "StorageBackend",
    "StorageContext",
    "StorageDamaged",
    "StorageError",
    "StorageFull",
    "StorageMissing",
    "check_name",
]
