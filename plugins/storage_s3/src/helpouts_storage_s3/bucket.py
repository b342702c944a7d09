"""The storage over a bucket.

boto3 sends large objects in parts and completes them at the end, so that an object appears whole or not at all.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from helpouts.storage import Storage, StorageError, StorageFull, StorageMissing

T = TypeVar("T")
PIECE = 256 * 1024
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
FULL = frozenset({"EntityTooLarge", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"})
#: No threads of its own: workers and live processes have enough, and what ``chunks`` raises is passed on.
TRANSFER = TransferConfig(multipart_threshold=8 * 1024 * 1024, multipart_chunksize=8 * 1024 * 1024, use_threads=False)
SETTINGS = ("endpoint", "region", "bucket", "prefix", "key_id", "secret")


def open_bucket(settings: Mapping[str, Any]) -> Storage:
    """The bucket that the settings name; clients are dear to make and are kept.

    :raises StorageError: when no bucket is set.
    """
    if not settings["bucket"]:
        raise StorageError("the setting 'bucket' of storage_s3 is empty")
    return _bucket(*(str(settings[name]) for name in SETTINGS))


@lru_cache(maxsize=4)
def _bucket(endpoint: str, region: str, bucket: str, prefix: str, key_id: str, secret: str) -> Bucket:
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=16,
            # Other services than Amazon's refuse the checksums that are sent since botocore 1.36 by default.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )
    return Bucket(client, bucket, prefix)


def trouble(settings: Mapping[str, Any]) -> str:
    """Why the bucket cannot be used; empty when it can be listed, written, read and deleted from."""
    try:
        storage = open_bucket(settings)
        storage.put("check/health", [b"helpouts"])
        if b"".join(storage.get("check/health")) != b"helpouts":
            return "what was written is read otherwise"
        list(storage.names("check/"))
        storage.delete("check/health")
    except (StorageError, StorageMissing) as error:
        return str(error)
    return ""


class Bucket:
    """Implements :class:`helpouts.storage.Storage`."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        """Upload; parts of an upload that breaks off are removed by boto3."""
        reader = _Reader(iter(chunks))
        source = io.BufferedReader(reader, PIECE)
        self._ask(name, lambda: self._client.upload_fileobj(source, Config=TRANSFER, **self._object(name)))
        return reader.count

    def get(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Ask for the range (RFC 9110 section 14); an empty one is not asked for."""
        size = self.size(name)
        end = size if end is None else min(end, size)
        if start >= end:
            return iter(())
        wanted = f"bytes={start}-{end - 1}"
        answer = self._ask(name, lambda: self._client.get_object(Range=wanted, **self._object(name)))
        return self._pieces(name, answer["Body"])

    def _pieces(self, name: str, body: Any) -> Iterator[bytes]:
        with body:
            while piece := self._ask(name, lambda: body.read(PIECE)):
                yield piece

    def size(self, name: str) -> int:
        """From the object's head."""
        answer = self._ask(name, lambda: self._client.head_object(**self._object(name)))
        return int(answer["ContentLength"])

    def delete(self, name: str) -> None:
        """S3 itself says nothing when there is none."""
        try:
            self._ask(name, lambda: self._client.delete_object(**self._object(name)))
        except StorageMissing:
            return

    def names(self, prefix: str = "") -> Iterator[str]:
        """A thousand in one request; S3 lists in the order of UTF-8 bytes."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        found = iter(pages)
        while page := self._ask(prefix, lambda: next(found, None)):
            for item in page.get("Contents", ()):
                yield item["Key"].removeprefix(self._prefix)

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _ask(self, name: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in MISSING:
                raise StorageMissing(name) from error
            kind = StorageFull if code in FULL else StorageError
            raise kind(f"{name} in the bucket {self._bucket}: {error}") from error
        except (BotoCoreError, Boto3Error, OSError) as error:
            raise StorageError(f"{name} in the bucket {self._bucket}: {error}") from error


class _Reader(io.RawIOBase):
    """Chunks as a file that boto3 reads from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self.count = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes, 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        self.count += size
        return size
