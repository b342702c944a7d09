"""The second step at sign-in: an authenticator app, and codes for when it is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from passlib.totp import TOTP
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.jobs.models import Job
from helpouts.runtime import Runtime

from .conftest import PASSWORD, one_database, sign_in, submit, token_in


def enrol(client: FlaskClient) -> TOTP:
    """Set up an app as a person would: scan, then enter a code of the minute before."""
    page = submit(client, "/tf-setup", setup="authenticator")
    assert 'src="data:image/svg+xml;base64,' in page.text
    key = re.search(r"data-key>([A-Z2-7-]+)<", page.text)
    action = re.search(r'action="(/tf-setup/[^"]+)"', page.text)
    assert key
    assert action
    app = TOTP(key=key[1].replace("-", ""))
    answer = submit(client, action[1], form_on="/tf-setup", code=app.generate(time.time() - 30).token)
    assert answer.headers["Location"] == "/account/security"
    return app


@pytest.fixture
def enrolled(site: Flask, person: Callable[..., User]) -> TOTP:
    """Anna with a second factor."""
    person()
    client = site.test_client()
    sign_in(client)
    return enrol(client)


def half_way(site: Flask) -> FlaskClient:
    """A browser that has given the right password."""
    client = site.test_client()
    answer = sign_in(client)
    assert answer.headers["Location"].startswith("/tf-validate")
    return client


def now(app: TOTP) -> str:
    return str(app.generate().token)


def test_with_an_app_the_password_alone_opens_nothing(site: Flask, enrolled: TOTP) -> None:
    client = half_way(site)
    assert client.get("/account").status_code == 302
    refused = submit(client, "/tf-validate", code="000000")
    assert "The code is wrong, too old or was used before" in refused.text
    assert client.get("/account").status_code == 302
    assert submit(client, "/tf-validate", code=now(enrolled)).headers["Location"] == "/account"
    assert client.get("/account").status_code == 200


def test_a_code_works_once(site: Flask, enrolled: TOTP) -> None:
    first, second = half_way(site), half_way(site)
    code = now(enrolled)
    assert submit(first, "/tf-validate", code=code).status_code == 302
    assert "was used before" in submit(second, "/tf-validate", code=code).text
    assert second.get("/account").status_code == 302


def test_a_code_that_was_used_to_set_up_does_not_sign_in(site: Flask, enrolled: TOTP) -> None:
    used = str(enrolled.generate(time.time() - 30).token)
    assert "was used before" in submit(half_way(site), "/tf-validate", code=used).text


@one_database
@pytest.mark.parametrize("minutes", [-60, -2, 2, 60])
def test_a_code_of_another_time_is_refused(site: Flask, enrolled: TOTP, minutes: int) -> None:
    code = str(enrolled.generate(time.time() + 60 * minutes).token)
    assert "The code is wrong" in submit(half_way(site), "/tf-validate", code=code).text


@one_database
@pytest.mark.parametrize("code", ["", " ", "x" * 500, "12345", "1234567", "abcdef", "\0", "١٢٣٤٥٦", "-00001"])
def test_odd_codes_get_a_message(site: Flask, enrolled: TOTP, code: str) -> None:
    client = half_way(site)
    for path in ("/tf-validate", "/mf-recovery"):
        page = submit(client, path, code=code)
        assert page.status_code == 200
        assert 'id="code-error"' in page.text
    assert client.get("/account").status_code == 302


@one_database
def test_a_wrong_code_sets_nothing_up(site: Flask, runtime: Runtime, person: Callable[..., User]) -> None:
    person()
    client = site.test_client()
    sign_in(client)
    page = submit(client, "/tf-setup", setup="authenticator")
    action = re.search(r'action="(/tf-setup/[^"]+)"', page.text)
    assert action
    submit(client, action[1], form_on="/tf-setup", code="000000")
    forged = client.post("/tf-setup/forged", data={"csrf_token": token_in(client, "/tf-setup"), "code": "000000"})
    assert forged.headers["Location"] == "/tf-setup"
    assert submit(client, "/tf-setup", setup="sms").status_code == 200
    with runtime.database.read() as db:
        user = db.scalars(select(User)).one()
        assert user.tf_primary_method is None
        assert user.tf_totp_secret is None


def test_the_key_is_encrypted_at_rest(runtime: Runtime, enrolled: TOTP) -> None:
    with runtime.database.read() as db:
        kept = db.scalars(select(User.tf_totp_secret)).one() or ""
    assert enrolled.base32_key not in kept
    assert '"enckey"' in kept


def test_recovery_codes_work_once_each_and_are_kept_hashed(site: Flask, runtime: Runtime, enrolled: TOTP) -> None:
    client = half_way(site)
    submit(client, "/tf-validate", code=now(enrolled))
    page = submit(client, "/mf-recovery-codes", generate_new_codes="1")
    codes = re.findall(r"<code>([0-9a-f-]{14})</code>", page.text)
    assert len(set(codes)) == 8
    assert codes[0] not in client.get("/mf-recovery-codes?show_codes=1").text
    with runtime.database.read() as db:
        kept: Any = db.scalars(select(User.mf_recovery_codes)).one()
        assert len(kept) == 8
        assert not set(codes) & set(kept)

    lost = half_way(site)
    assert "This code is wrong or was used before." in submit(lost, "/mf-recovery", code="0000-0000-0000").text
    assert submit(lost, "/mf-recovery", code=f" {codes[3].upper()} ").status_code == 302
    assert lost.get("/account").status_code == 200
    assert "You have 7 recovery codes left." in lost.get("/account/security").text
    again = half_way(site)
    assert "was used before" in submit(again, "/mf-recovery", code=codes[3]).text
    assert submit(again, "/tf-rescue", form_on="/tf-validate", help_setup="email").headers["Location"] == "/mf-recovery"


def test_switching_off_needs_a_fresh_sign_in_and_tells_by_mail(
    site: Flask, runtime: Runtime, enrolled: TOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = half_way(site)
    submit(client, "/tf-validate", code=now(enrolled))
    real = time.time
    with monkeypatch.context() as later:
        later.setattr("flask_security.utils.naive_utcnow", lambda: _naive(real() + 3600))
        answer = client.get("/tf-setup")
        assert answer.headers["Location"].startswith("/verify")
        page = client.get("/account/data")
        assert page.headers["Location"].startswith("/verify")
    assert "The password is wrong." in submit(client, "/verify", password="wrong but long").text
    assert submit(client, "/verify", password=PASSWORD).status_code == 302
    assert submit(client, "/tf-setup", setup="disable").headers["Location"] == "/account/security"
    assert sign_in(site.test_client()).headers["Location"] == "/account"
    with runtime.database.read() as db:
        subjects = [job.payload["subject"] for job in db.scalars(select(Job).order_by(Job.id))]
        user = db.scalars(select(User)).one()
        assert not user.mf_recovery_codes
    assert subjects == ["Signing in now needs your app as well", "The second step at sign-in is switched off"]


def _naive(timestamp: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(timestamp, UTC).replace(tzinfo=None)


@one_database
def test_guessing_codes_is_slowed_down_wherever_the_guesses_come_from(site: Flask, enrolled: TOTP) -> None:
    statuses = []
    for octet in range(12):
        client = half_way(site)
        token = token_in(client, "/tf-validate")
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{octet}"
        statuses.append(client.post("/tf-validate", data={"csrf_token": token, "code": "000000"}).status_code)
    assert statuses == [200] * 10 + [429] * 2


@one_database
@pytest.mark.parametrize("path", ["/tf-validate", "/mf-recovery", "/tf-setup"])
def test_the_second_step_cannot_come_first(site: Flask, person: Callable[..., User], path: str) -> None:
    person()
    client = site.test_client()
    assert client.get(path).status_code == 302
    token = token_in(client, "/login")
    assert client.post(path, data={"csrf_token": token, "code": "000000"}).status_code == 302
    assert client.get("/account").status_code == 302
