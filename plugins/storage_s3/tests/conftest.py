"""The plugin alone, and an S3 server that others have written, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    return (("storage_s3", "helpouts_storage_s3"),)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a moto server."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert server.stderr is not None
    address = ""
    for line in server.stderr:
        found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
        if found:
            address = found[1]
            break
    assert address, "the server did not start"
    yield address
    server.kill()
    server.wait()
    server.stderr.close()


@pytest.fixture
def settings(s3_server: str) -> dict[str, Any]:
    """Settings for an empty bucket."""
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    made = {"endpoint": s3_server, "region": "us-east-1", "bucket": bucket, "key_id": "key", "secret": "secret"}
    client = boto3.client(
        "s3", endpoint_url=s3_server, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket=bucket)
    return {**made, "prefix": "site/"}
