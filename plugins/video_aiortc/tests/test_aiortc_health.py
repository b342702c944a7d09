"""What the doctor finds in the relay's settings."""

from __future__ import annotations

import asyncio
import re
from ast import literal_eval
from collections.abc import Callable
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import helpouts_video_aiortc as plugin
import pytest
from babel.messages.pofile import read_po
from helpouts_video_aiortc import fastpath, health, private

from helpouts.errors import ConfigurationError


@pytest.fixture(autouse=True)
def public_url(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The site's address, a public one unless the test says another."""

    def use(url: str) -> None:
        monkeypatch.setattr(health, "runtime_of", lambda db: SimpleNamespace(config=SimpleNamespace(public_url=url)))

    use("https://help.example.com")
    return use


def findings(**settings: Any) -> list[tuple[str, str]]:
    (check,) = plugin.helpouts_health_checks()
    return [(problem.severity, str(problem.text)) for problem in check.check(None, settings)]  # type: ignore[arg-type]


def test_a_fixed_port_and_a_public_address_are_fine() -> None:
    assert findings(port=40000, public_ip="8.8.8.8") == []


def test_a_relay_without_its_compiled_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastpath, "works", lambda: False)
    ((severity, text),) = findings(port=40000, public_ip="8.8.8.8")
    assert severity == "warning"
    assert "compiled part" in text


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"port": 0, "public_ip": "8.8.8.8"}, [("warning", "no firewall")]),
        ({"port": 40000, "public_ip": "10.0.0.5"}, [("warning", "private addresses only")]),
        ({"port": 40000, "public_ip": "10.0.0.5, 8.8.8.8"}, []),
        ({"port": 0, "public_ip": "relay.example"}, [("warning", "no firewall"), ("error", "will not start")]),
    ],
)
def test_what_keeps_media_away_is_named(settings: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = findings(**settings)
    assert len(found) == len(expected)
    for (severity, text), (wanted, words) in zip(found, expected, strict=True):
        assert severity == wanted
        assert words in text


def test_without_a_public_address_the_machines_own_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "host_addresses", lambda: ["192.168.1.5"])
    assert [severity for severity, _text in findings(port=40000, public_ip="")] == ["warning"]


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://help.example.com", True),
        ("https://8.8.8.8", True),
        ("http://127.0.0.1:8000", False),
        ("http://192.168.1.5", False),
        ("http://localhost:8000", False),
        ("http://nas.local", False),
        ("http://[::1]:8000", False),
        ("", False),
    ],
)
def test_private_addresses_are_a_fault_of_public_sites_only(
    public_url: Callable[[str], None], url: str, public: bool
) -> None:
    public_url(url)
    found = findings(port=40000, public_ip="10.0.0.5")
    assert [url in text and "10.0.0.5" in text for _severity, text in found] == [True] * public


async def test_a_relay_that_answers_at_its_public_address_is_fine_and_one_that_does_not_is_named(
    site: Any, public_url: Callable[[str], None]
) -> None:
    public_url("http://127.0.0.1")
    async with site(bind="127.0.0.1") as relay:
        settings = {"port": relay.driver.port, "bind": "127.0.0.1"}
        assert await asyncio.to_thread(findings, **settings, public_ip="127.0.0.1") == []
        assert relay.driver.statistics()["probes"] == 3
        for streams, expected in ((True, ["UDP", "TCP"]), (False, ["UDP"])):
            found = await asyncio.to_thread(findings, **settings, tcp=streams, public_ip="127.0.0.9")
            assert [severity for severity, _text in found] == ["warning"] * len(expected)
            for (_severity, text), protocol in zip(found, expected, strict=True):
                assert f"not at 127.0.0.9, {protocol} port {relay.driver.port}" in text


async def test_a_relay_that_takes_no_tcp_is_named(site: Any, public_url: Callable[[str], None]) -> None:
    public_url("http://127.0.0.1")
    async with site(bind="127.0.0.1", tcp=False) as relay:
        settings = {"port": relay.driver.port, "bind": "127.0.0.1", "public_ip": "127.0.0.1"}
        (found,) = await asyncio.to_thread(findings, **settings)
        assert "TCP" in found[1]


def test_untested_releases_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ConfigurationError("install another")

    monkeypatch.setattr(private, "check_versions", refuse)
    assert findings(port=40000, public_ip="8.8.8.8") == [("error", "install another")]


def test_every_text_is_translated_to_german() -> None:
    package = files("helpouts_video_aiortc")
    with (package / "translations/de/LC_MESSAGES/messages.po").open("rb") as source:
        catalogue = read_po(source)
    sources = "".join(path.read_text("utf-8") for path in package.iterdir() if path.name.endswith(".py"))
    texts = {literal_eval(text) for text in re.findall(r'\b_l?\(\s*("(?:[^"\\]|\\.)*")', sources)}
    assert len(texts) > 20
    assert {str(message.id) for message in catalogue if message.id} == texts
    for message in catalogue:
        assert message.string or not message.id
        named = re.compile(r"%\(\w+\)s")
        assert set(named.findall(str(message.id))) == set(named.findall(str(message.string)))
