"""Settings of plugins: declared, strict, secrets encrypted in their row and nowhere else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM
from helpouts.audit.models import AuditEntry
from helpouts.errors import ConfigurationError, HelpoutsError
from helpouts.hookspecs import hookimpl
from helpouts.plugins import Setting
from helpouts.plugins.models import PluginSettingRow
from helpouts.plugins.secrets import seal, unseal
from helpouts.plugins.service import check_value, read_settings, write_settings
from helpouts.registry import Registry
from helpouts.runtime import Runtime

SECRET = "sk_live_51Hq8kqL0velyNight"
SETTINGS = (
    Setting("rate", int, 5, "Rate", minimum=1, maximum=10),
    Setting("label", str, "plain", "Label", minimum=2, maximum=8, required=True),
    Setting("mode", str, "slow", "Mode", choices=("slow", "fast")),
    Setting("codes", list, ["EUR"], "Codes", minimum=1, choices=("EUR", "USD")),
    Setting("tags", list, [], "Tags"),
    Setting("on", bool, False, "On"),
    Setting("api_key", str, "", "Key", secret=True),
    Setting("other_key", str, "", "Key", secret=True),
)


def plugin(settings: Iterable[Setting]) -> Any:
    """A plugin that only has settings."""

    @hookimpl
    def helpouts_settings() -> Iterable[Setting]:
        return settings

    module = ModuleType("shop")
    module.helpouts_settings = helpouts_settings  # type: ignore[attr-defined]  # modules take attributes
    return module


@pytest.fixture
def shop(runtime: Runtime) -> Runtime:
    """A site with the plugin "shop"."""
    registry = Registry()
    assert registry.add("shop", lambda: plugin(SETTINGS)).loaded
    return Runtime(runtime.config, runtime.database, registry)


@pytest.fixture
def db(shop: Runtime) -> Any:
    """A writing session of it."""
    with shop.database.session(write=True) as session:
        yield session
        session.rollback()


def test_what_nobody_has_set_has_its_default(db: Session) -> None:
    assert read_settings(db, "shop") == {setting.key: setting.default for setting in SETTINGS}


def test_a_value_is_kept(db: Session) -> None:
    write_settings(db, "shop", {"rate": 7, "codes": ["USD"], "on": True}, SYSTEM)
    found = read_settings(db, "shop")
    assert (found["rate"], found["codes"], found["on"]) == (7, ["USD"], True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rate", "5"),
        ("rate", 5.0),
        ("rate", True),
        ("rate", None),
        ("rate", 0),
        ("rate", 11),
        ("label", ""),
        ("label", "x"),
        ("label", "much too long"),
        ("mode", "medium"),
        ("codes", []),
        ("codes", ["GBP"]),
        ("codes", "EUR"),
        ("tags", [1]),
        ("on", 1),
        ("api_key", 5),
    ],
)
def test_a_value_that_does_not_fit_is_refused_at_its_field(key: str, value: object) -> None:
    setting = next(setting for setting in SETTINGS if setting.key == key)
    with pytest.raises(HelpoutsError) as refused:
        check_value(setting, value)
    assert refused.value.field == key


@pytest.mark.parametrize("wrong", [{"rte": 5}, {"rate": 11}])
def test_one_wrong_value_and_nothing_is_written(db: Session, wrong: dict[str, object]) -> None:
    before = read_settings(db, "shop")
    with pytest.raises(HelpoutsError) as refused:
        write_settings(db, "shop", {"tags": ["new"], **wrong}, SYSTEM)
    assert refused.value.field in wrong
    assert read_settings(db, "shop") == before


def test_a_secret_is_read_back_but_stands_nowhere_in_clear(shop: Runtime, tmp_path: Path) -> None:
    with shop.database.write() as db:
        write_settings(db, "shop", {"api_key": SECRET, "rate": 6}, SYSTEM)
    with shop.database.read() as db:
        assert read_settings(db, "shop")["api_key"] == SECRET
        row = db.get_one(PluginSettingRow, ("shop", "api_key"))
        assert row.value is None
        assert SECRET not in str(row.secret)
        audit = db.query(AuditEntry).one()
        assert audit.detail["changes"] == {"api_key": "***", "rate": 6}
        assert SECRET not in json.dumps(audit.detail)
    if shop.database.is_sqlite:
        shop.database.dispose()
        files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert not any(SECRET.encode() in content or base64.b64encode(SECRET.encode()) in content for content in files)


def test_the_same_secret_twice_has_two_ciphertexts() -> None:
    key = b"k" * 32
    assert seal(key, "shop", "api_key", SECRET) != seal(key, "shop", "api_key", SECRET)


def test_a_ciphertext_that_is_moved_to_another_row_is_refused(db: Session) -> None:
    write_settings(db, "shop", {"api_key": SECRET}, SYSTEM)
    stolen = db.get_one(PluginSettingRow, ("shop", "api_key")).secret
    db.add(PluginSettingRow(plugin="shop", key="other_key", secret=stolen))
    with pytest.raises(ConfigurationError, match="other_key"):
        read_settings(db, "shop")


@pytest.mark.parametrize("sealed", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_a_damaged_ciphertext_says_what_to_do(sealed: str) -> None:
    with pytest.raises(ConfigurationError, match="enter it again"):
        unseal(b"k" * 32, "shop", "api_key", sealed)


def test_another_master_key_opens_nothing() -> None:
    with pytest.raises(ConfigurationError):
        unseal(b"j" * 32, "shop", "api_key", seal(b"k" * 32, "shop", "api_key", SECRET))


def test_a_secret_may_be_a_reference(db: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "from the environment")
    (tmp_path / "key").write_text("from a file\n")
    write_settings(db, "shop", {"api_key": "env:SHOP_KEY", "other_key": f"file:{tmp_path / 'key'}"}, SYSTEM)
    found = read_settings(db, "shop")
    assert (found["api_key"], found["other_key"]) == ("from the environment", "from a file")


@pytest.mark.parametrize("reference", ["env:NO_SUCH_VARIABLE", "file:/no/such/file"])
def test_a_reference_that_leads_nowhere_names_the_setting(db: Session, reference: str) -> None:
    write_settings(db, "shop", {"api_key": reference}, SYSTEM)
    with pytest.raises(ConfigurationError, match=r"shop\.api_key"):
        read_settings(db, "shop")


def test_a_stored_value_that_fits_no_more_is_named_and_not_used(db: Session) -> None:
    db.add(PluginSettingRow(plugin="shop", key="rate", value=99))
    with pytest.raises(ConfigurationError, match=r"shop\.rate"):
        read_settings(db, "shop")


def test_a_stored_value_of_a_setting_that_is_gone_is_left_alone(db: Session) -> None:
    db.add(PluginSettingRow(plugin="shop", key="of_an_old_version", value=99))
    assert "of_an_old_version" not in read_settings(db, "shop")


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        (Setting("rate", float, 1.0, "Rate"), "known: str, int, bool, list"),
        (Setting("rate", int, "5", "Rate"), "not of its type int"),
        (Setting("pins", list, [], "Pins", secret=True), "secrets are texts"),
    ],
)
def test_a_declaration_that_contradicts_itself_fails_the_plugin(setting: Setting, error: str) -> None:
    assert error in Registry().add("shop", lambda: plugin((setting,))).error


def test_a_key_is_declared_once() -> None:
    assert "repeat a key" in Registry().add("shop", lambda: plugin((SETTINGS[0], SETTINGS[0]))).error
