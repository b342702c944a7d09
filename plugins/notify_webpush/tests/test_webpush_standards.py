"""Encryption is RFC 8291's, identification RFC 8292's, and requests go only where a push service can be."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from helpouts_notify_webpush import keys
from helpouts_notify_webpush.delivery import check_endpoint, post
from helpouts_notify_webpush.encoding import to_bytes, to_text
from helpouts_notify_webpush.encryption import MOST_BYTES, encrypt
from helpouts_notify_webpush.models import SiteKey
from push_service import Browser
from sqlalchemy import delete, update

from helpouts.clock import clock
from helpouts.config import load_config
from helpouts.errors import ConfigurationError, HelpoutsError
from helpouts.runtime import Runtime


def test_the_example_of_rfc_8291_comes_out() -> None:
    own = ec.derive_private_key(
        int.from_bytes(to_bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        to_bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        to_bytes("BTBZMqHH6r4Tts7J_aSIgg"),
        own=own,
        salt=to_bytes("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert to_text(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_y"
        "l95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("length", [0, 1, 1000, MOST_BYTES])
def test_another_implementation_reads_what_we_encrypt(length: int) -> None:
    browser = Browser("https://push.example/")
    message = json.dumps("x" * (length - 2)).encode() if length > 1 else b"1"
    body = encrypt(message, browser.public, browser.secret)
    assert len(body) <= 4096
    assert browser.read(body) == json.loads(message)


def test_a_message_that_no_service_must_take_is_refused() -> None:
    browser = Browser("https://push.example/")
    with pytest.raises(ValueError, match="bytes at most"):
        encrypt(b"x" * (MOST_BYTES + 1), browser.public, browser.secret)


def test_the_token_names_the_service_the_site_and_its_end_and_is_signed() -> None:
    clock.set(datetime(2026, 11, 24, tzinfo=UTC))
    key = ec.generate_private_key(ec.SECP256R1())
    config = load_config({"HELPOUTS_MAIL_FROM": "Helpouts <hello@helpouts.example>"}, data="/nowhere")
    header = keys.authorization(key, "https://push.example:8443/send/abc?x=1", config)
    scheme, _, rest = header.partition(" ")
    token, public = (part.split("=", 1)[1] for part in rest.split(", "))
    unsigned, _, signature = token.rpartition(".")
    kind, claims = (json.loads(to_bytes(part)) for part in unsigned.split("."))
    assert (scheme, kind) == ("vapid", {"typ": "JWT", "alg": "ES256"})
    assert claims["aud"] == "https://push.example:8443"
    assert claims["sub"] == "mailto:hello@helpouts.example"
    assert 0 < claims["exp"] - clock.now().timestamp() <= 86400
    raw = to_bytes(signature)
    assert len(raw) == 64
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), to_bytes(public))
    point.verify(der, unsigned.encode(), ec.ECDSA(SHA256()))


def test_the_sites_key_is_made_once_and_is_not_in_the_clear(runtime: Runtime) -> None:
    with runtime.database.read() as db:
        first = keys.public(keys.ensure(db))
    with runtime.database.read() as db:
        assert keys.public(keys.ensure(db)) == first
        assert "PRIVATE" not in db.get_one(SiteKey, 1).private


def test_a_key_that_was_moved_from_another_site_is_named(runtime: Runtime) -> None:
    with runtime.database.read() as db:
        keys.ensure(db)
    with runtime.database.write() as db:
        db.execute(update(SiteKey).values(private="AAAA" * 20))
        with pytest.raises(ConfigurationError, match="notify_webpush"):
            keys.load(db)
        db.execute(delete(SiteKey))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "ftp://push.example/x",
        "https://",
        "https://user@push.example/",
        "https://push.example/a b",
        "https://push.example/" + "x" * 2000,
        "https://localhost/x",
        "https://intranet/x",
        "https://printer.local/x",
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[fd00::1]/x",
        "https://224.0.0.1/x",
        "https://push.example:99999/",
        "javascript:alert(1)",
    ],
)
def test_addresses_that_no_push_service_has_are_refused(endpoint: str) -> None:
    with pytest.raises(HelpoutsError) as refused:
        check_endpoint(endpoint, allow_local=False)
    assert refused.value.field == "endpoint"


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/x",
        "https://8.8.8.8/",
    ],
)
def test_addresses_of_push_services_are_taken(endpoint: str) -> None:
    check_endpoint(endpoint, allow_local=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.1", "::1", "169.254.169.254"])
def test_a_name_that_leads_into_the_local_network_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        return [(0, 0, 0, "", (found, 443)) for found in ("8.8.8.8", address)]

    def connect(*_: Any, **__: Any) -> Any:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(HelpoutsError, match="local network"):
        post("https://rebind.example/x", {}, b"")


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[Any] = []

    def connect(address: Any, _timeout: float) -> Any:
        gone.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("8.8.4.4", 443))])
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        post("https://push.example/x", {}, b"")
    assert gone == [("8.8.4.4", 443)]
