"""Static files: addresses with a digest may be kept for ever, all others are asked for again."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
from flask import url_for
from flask.testing import FlaskClient

import helpouts.web
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    """A browser without cookies."""
    return create_app(runtime).test_client()


def test_every_file_that_a_page_names_may_be_kept_for_ever(client: FlaskClient) -> None:
    page = client.get("/about").text
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert len(named) > 6
    for address in named:
        with client.get(address) as answer:
            assert (address, answer.status_code, answer.headers["Cache-Control"]) == (address, 200, FOR_EVER)


@pytest.mark.parametrize("query", ["", "?v=", "?v=00000000", "?v=-"])
def test_another_address_is_asked_for_again(client: FlaskClient, query: str) -> None:
    with client.get(f"/static/css/base.css{query}") as answer:
        assert answer.status_code == 200
        assert "immutable" not in answer.headers["Cache-Control"]


def test_a_missing_file_is_not_kept(client: FlaskClient) -> None:
    for path in ("/static/fonts/none.woff2", "/static/none.css?v=", "/static/..%2fapp.py?v="):
        with client.get(path) as answer:
            assert answer.status_code == 404
            assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_a_changed_file_has_another_address(runtime: Runtime, tmp_path) -> None:
    app = create_app(runtime)
    app.static_folder = str(tmp_path)
    style = tmp_path / "a.css"
    found = []
    for number, text in enumerate(("a{}", "b{}", "a{}")):
        style.write_text(text)
        os.utime(style, (number, number))
        with app.test_request_context():
            found.append(url_for("static", filename="a.css"))
    assert found[0] == found[2] != found[1]
    assert re.fullmatch(r"/static/a\.css\?v=[0-9a-f]{8}", found[0])


def test_the_typeface_has_the_one_address_that_the_style_sheet_names(client: FlaskClient) -> None:
    preloaded = re.findall(r'as="font"[^>]*href="([^"]+)"', client.get("/about").text)
    with client.get("/static/css/tokens.css") as answer:
        named = re.findall(r'url\("\.\.(/fonts/[^"]+)"\)', answer.text)
    assert preloaded
    assert set(preloaded) <= {f"/static{name}" for name in named}


def test_texts_are_sent_compressed_to_those_who_understand(client: FlaskClient) -> None:
    page = client.get("/about").text
    address = next(iter(re.findall(r'href="(/static/css/base[^"]+)', page)))
    plain = (Path(helpouts.web.__file__).parent / "static" / "css" / "base.css").read_bytes()
    with client.get(address, headers={"Accept-Encoding": "gzip, br"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.vary
        assert answer.content_type.startswith("text/css")
        assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain) / 2
        assert gzip.decompress(answer.data) == plain
    for headers in ({}, {"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "br"}):
        with client.get(address, headers=headers) as answer:
            assert "Content-Encoding" not in answer.headers
            assert answer.data == plain
    with client.get(address, headers={"Accept-Encoding": "gzip", "Range": "bytes=0-9"}) as answer:
        assert (answer.status_code, answer.data) == (206, plain[:10])


def test_pages_are_not_compressed(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/about", headers={"Accept-Encoding": "gzip"}).headers
