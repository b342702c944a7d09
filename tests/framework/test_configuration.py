"""The configuration: overrides over the environment over one file over defaults; what is unknown is refused."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest

from helpouts.config import OPTIONS, load_config
from helpouts.errors import ConfigurationError


def test_without_anything_every_option_has_its_default() -> None:
    config = load_config({})
    assert {option.key: getattr(config, option.key) for option in OPTIONS} == {o.key: o.default for o in OPTIONS}


def test_the_environment_wins_over_the_file_and_overrides_win_over_both(tmp_path: Path) -> None:
    file = tmp_path / "helpouts.toml"
    file.write_text('port = 1\nhost = "from-file"\nsite_name = "from file"\n')
    config = load_config({"HELPOUTS_CONFIG": str(file), "HELPOUTS_PORT": "2", "HELPOUTS_HOST": "env"}, port=3)
    assert (config.port, config.host, config.site_name) == (3, "env", "from file")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("yes", True), ("ON", True), ("0", False), ("no", False), ("", False)]
)
def test_a_switch_in_the_environment(text: str, value: bool) -> None:
    assert load_config({"HELPOUTS_SAFE_MODE": text}).safe_mode is value


def test_a_list_in_the_environment_is_separated_by_commas_and_in_the_file_a_list(tmp_path: Path) -> None:
    file = tmp_path / "helpouts.toml"
    file.write_text('plugins_off = ["a", "b"]\n')
    assert load_config({"HELPOUTS_PLUGINS_OFF": "a, b,"}).plugins_off == ("a", "b")
    assert load_config({}, file).plugins_off == ("a", "b")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HELPOUTS_PROT", "8000"),
        ("HELPOUTS_PORT", "http"),
        ("HELPOUTS_PORT", ""),
        ("HELPOUTS_PORT", "0"),
        ("HELPOUTS_PORT", "70000"),
        ("HELPOUTS_WEB_WORKERS", "0"),
        ("HELPOUTS_TRUSTED_PROXIES", "-1"),
        ("HELPOUTS_SAFE_MODE", "perhaps"),
        ("HELPOUTS_MAIL_TLS", "strattls"),
    ],
)
def test_a_wrong_variable_is_named(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_config({name: text})


@pytest.mark.parametrize(
    "content",
    [
        "prot = 8000",
        'port = "8000"',
        "port = true",
        "port = 70000",
        "safe_mode = 1",
        "plugins_off = 'a'",
        "plugins_off = [1]",
        "mail_tls = 'ssl'",
        "port = ",
        "[web]\nport = 8000",
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "helpouts.toml"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"helpouts\.toml"):
        load_config({}, file)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.toml"):
        load_config({"HELPOUTS_CONFIG": str(tmp_path / "missing.toml")})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"binary\.toml"):
        load_config({}, tmp_path / "binary.toml")


@pytest.mark.parametrize("wrong", [{"prot": 1}, {"port": "1"}, {"port": -1}])
def test_wrong_overrides_are_refused_too(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        load_config({}, **wrong)
    with pytest.raises(ConfigurationError):
        load_config({}).replace(**wrong)


def test_a_key_is_made_once_whoever_asks_first(tmp_path: Path) -> None:
    config, keys, start = load_config({}, data=str(tmp_path / "data")), [], threading.Barrier(8)

    def ask() -> None:
        start.wait()
        keys.append(config.key("secret_key"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    file = tmp_path / "data" / "secret_key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret_key"]


def test_a_damaged_key_file_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "master_key").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="backup"):
        load_config({}, data=str(tmp_path)).key("master_key")


def test_a_key_from_the_environment_is_what_openssl_prints() -> None:
    text = base64.b64encode(bytes([255]) * 32).decode()
    assert load_config({"HELPOUTS_MASTER_KEY": text}).key("master_key") == bytes([255]) * 32


@pytest.mark.parametrize("text", ["short", "c2hvcnQ=", "%%%"])
def test_a_key_of_another_length_says_how_to_make_one(text: str) -> None:
    with pytest.raises(ConfigurationError, match="openssl rand -base64 32"):
        load_config({"HELPOUTS_SECRET_KEY": text}).key("secret_key")


def test_every_option_explains_itself() -> None:
    assert len({option.key for option in OPTIONS}) == len(OPTIONS)
    assert all(option.help.endswith(".") for option in OPTIONS)
    assert {option.key for option in OPTIONS if option.secret} == {"secret_key", "master_key", "mail_password"}
