"""What the doctor finds in the relay's settings."""

from __future__ import annotations

import re
from ast import literal_eval
from importlib.resources import files
from typing import Any

import helpouts_video_aiortc as plugin
import pytest
from babel.messages.pofile import read_po
from helpouts_video_aiortc import private

from helpouts.errors import ConfigurationError


def findings(**settings: Any) -> list[tuple[str, str]]:
    (check,) = plugin.helpouts_health_checks()
    return [(problem.severity, str(problem.text)) for problem in check.check(None, settings)]  # type: ignore[arg-type]


def test_a_fixed_port_and_a_public_address_are_fine() -> None:
    assert findings(port=40000, public_ip="8.8.8.8") == []


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
