"""A site with people who book, without passwords: the browser is handed their session."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpouts.runtime import Runtime
from helpouts.web.app import create_app

#: For what cannot differ between the two.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def site(runtime: Runtime) -> Flask:
    """The application over the runtime, with generous rate limits."""
    return create_app(Runtime(runtime.config.replace(login_rate="1000 per minute"), runtime.database, runtime.registry))


@pytest.fixture
def browser(site: Flask, runtime: Runtime) -> Callable[..., FlaskClient]:
    """Makes a browser in which that person is signed in; without one, nobody is."""

    def make(user_id: int | None = None) -> FlaskClient:
        client = site.test_client()
        if user_id is not None:
            from helpouts.accounts.models import User

            with runtime.database.read() as db:
                known = db.get_one(User, user_id).fs_uniquifier
            with client.session_transaction() as session:
                session["_user_id"], session["_fresh"], session["fs_cc"] = known, True, "set"
        return client

    return make


def submit(client: FlaskClient, path: str, **values: Any) -> Any:
    """Send the form of a page."""
    page = client.get(path)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, f"no form on {path}: {page.status}"
    return client.post(path, data={"csrf_token": found[1], **values})
