"""A site with people, and a mail server of its own."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from flask.testing import FlaskClient

from helpouts.accounts import passwords
from helpouts.accounts.models import User
from helpouts.accounts.service import create_user
from helpouts.jobs.worker import Worker
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

#: For what cannot differ between the two.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PASSWORD = "seven purple llamas"


@dataclass
class Postman:
    """An SMTP server that keeps what it is given."""

    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Any] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # aiosmtpd's name
        self.envelopes.append(envelope)
        self.mails.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def postman() -> Iterator[tuple[Postman, int]]:
    """(mails, port) of a running SMTP server."""
    handler = Postman()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full hash takes a good part of a second on purpose; tests do not need that."""
    monkeypatch.setitem(passwords.COST, "argon2__memory_cost", 64)
    monkeypatch.setitem(passwords.COST, "argon2__rounds", 1)


@pytest.fixture
def site(runtime: Runtime) -> Flask:
    """The application over the runtime, with generous rate limits."""
    roomy = Runtime(runtime.config.replace(login_rate="1000 per minute"), runtime.database, runtime.registry)
    return create_app(roomy)


@pytest.fixture
def person(runtime: Runtime) -> Callable[..., User]:
    """Makes a confirmed account with :data:`PASSWORD`."""

    def make(email: str = "anna@example.org", *roles: str, **values: Any) -> User:
        with runtime.database.write() as db:
            return create_user(db, email, PASSWORD, values.pop("name", "Anna Muster"), roles, confirmed=True, **values)

    return make


def token_in(client: FlaskClient, path: str) -> str:
    """The CSRF token of the form on a page."""
    page = client.get(path)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, f"no form on {path}: {page.status}"
    return found[1]


def submit(client: FlaskClient, path: str, *, form_on: str = "", **values: Any) -> Any:
    """Fill in the form of a page and send it."""
    token = token_in(client, form_on or path)
    return client.post(path, data={"csrf_token": token, **values})


def sign_in(client: FlaskClient, email: str = "anna@example.org", password: str = PASSWORD) -> Any:
    """Sign in; the answer of the form."""
    return submit(client, "/login", email=email, password=password)


def drain(runtime: Runtime) -> int:
    """Let the worker do what was promised."""
    return Worker(runtime).drain()
