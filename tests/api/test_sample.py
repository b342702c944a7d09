"""The sample of docs/api.md runs against a real server."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from helpouts.clock import clock

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_the_sample_books_and_cancels(api: Any) -> None:
    clock.set(None)
    server = make_server("127.0.0.1", 0, api.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        command = [sys.executable, str(Path(__file__).parent / "sample_book.py")]
        address = f"http://127.0.0.1:{server.server_port}"
        done = subprocess.run([*command, address, api.token], capture_output=True, text=True, timeout=60, check=False)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("Set up your wireless router with Jonas Weber, 20")
    assert first.endswith(": confirmed")
    assert second == "cancelled, charged 0 EUR cents"
