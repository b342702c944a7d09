"""Recordings and files in an S3-compatible object storage: Amazon's, another company's, or one's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins import HealthCheck, Problem, Setting
from helpouts.storage import Storage, StorageBackend, StorageContext


def _open(context: StorageContext) -> Storage:
    from helpouts_storage_s3.bucket import open_bucket  # the client is large; most processes never need it

    return open_bucket(context.settings)


@hookimpl
def helpouts_storage_backends() -> Iterable[StorageBackend]:
    """The storage ``s3``."""
    return [StorageBackend("s3", _l("S3 object storage"), _l("A bucket of any S3-compatible service."), _open)]


@hookimpl
def helpouts_settings() -> Iterable[Setting]:
    """Where the bucket is and how it is opened."""
    return [
        Setting(
            "endpoint", str, "", _l("Address of the service"),
            _l("With https://, without the bucket. Empty: Amazon S3 in the region."),
        ),
        Setting("region", str, "us-east-1", _l("Region"), _l("As the service calls it."), minimum=1),
        Setting("bucket", str, "", _l("Bucket"), _l("It must exist already and be for this site alone, not public.")),
        Setting(
            "prefix", str, "", _l("Beginning of the names"),
            _l("Put before the name of every object, for example helpouts/. Do not change it later."),
        ),
        Setting("key_id", str, "", _l("Access key ID"), _l("It needs to read, write, delete and list in the bucket.")),
        Setting("secret", str, "", _l("Secret access key"), secret=True),
    ]  # fmt: skip


@hookimpl
def helpouts_health_checks() -> Iterable[HealthCheck]:
    """Whether the bucket can be reached and is ours."""
    return [HealthCheck("bucket", _l("Object storage"), _check)]


def _check(_db: Session, settings: Mapping[str, Any]) -> Sequence[Problem]:
    if not settings["bucket"]:
        return [Problem("info", _l("No bucket is set."), _l("Enter it in the settings of the plugin, to use it."))]
    from helpouts_storage_s3.bucket import trouble

    found = trouble(settings)
    if not found:
        return []
    return [Problem("error", found, _l("Check the address, the bucket, the key and what the key may do."))]
