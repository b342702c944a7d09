"""The bucket, against moto's S3 server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import helpouts_storage_s3
import pytest
from helpouts_storage_s3.bucket import trouble

from helpouts import site
from helpouts.audit.actor import SYSTEM
from helpouts.plugins.service import write_settings
from helpouts.runtime import Runtime
from helpouts.storage import Storage, StorageContext, StorageError, service
from helpouts.testing.storage import StorageContract


def opened(settings: dict[str, Any]) -> Storage:
    backend = next(iter(helpouts_storage_s3.helpouts_storage_backends()))
    return backend.open(StorageContext(Path(), settings))


class TestS3(StorageContract):
    @pytest.fixture
    def storage(self, settings: dict[str, Any]) -> Storage:
        return opened(settings)


def test_the_site_keeps_objects_in_the_bucket_sealed(runtime: Runtime, settings: dict[str, Any]) -> None:
    with runtime.database.write() as db:
        write_settings(db, "storage_s3", settings, SYSTEM)
        site.put(db, "storage", "s3", SYSTEM)
    reference = service.store(runtime, "notes/1", b"a secret sentence " * 100_000)
    assert reference == "s3:notes/1"
    assert b"".join(service.load_range(runtime, reference, 900_000, 900_018)) == b"a secret sentence "
    client = boto3.client(
        "s3",
        endpoint_url=settings["endpoint"],
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    body = client.get_object(Bucket=settings["bucket"], Key="site/notes/1")["Body"].read()
    assert b"secret sentence" not in body
    assert list(service.references(runtime, "notes/")) == [reference]
    service.remove(runtime, reference)
    assert list(service.references(runtime, "notes/")) == []


def test_a_bucket_that_works_has_no_troubles(settings: dict[str, Any]) -> None:
    assert trouble(settings) == ""
    assert list(opened(settings).names()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [({"bucket": "nobody-has-this"}, "NoSuchBucket"), ({"endpoint": "http://127.0.0.1:9"}, "127.0.0.1:9")],
)
def test_what_is_wrong_is_said(settings: dict[str, Any], change: dict[str, str], said: str) -> None:
    assert said in trouble({**settings, **change})
    with pytest.raises(StorageError, match=said):
        opened({**settings, **change}).put("x", [b"y"])


def test_without_a_bucket_nothing_is_opened(settings: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match="'bucket'"):
        opened({**settings, "bucket": ""})
