"""Plugins in the console: the switch, the settings, secrets, failures, pages and checks of plugins."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.audit.models import AuditEntry
from helpouts.db import Database
from helpouts.plugins.models import PluginFailure, PluginSettingRow
from helpouts.plugins.service import read_settings
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

SETTINGS = "/console/plugins/sample/settings/"
RIGHT = {
    "setting-name": "Beta",
    "setting-count": "5",
    "setting-fast": "y",
    "setting-mode": "b",
    "setting-hosts": "one\n\n two ",
    "setting-api_key": "sk-very-secret",
}
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def last_entry(runtime: Runtime) -> AuditEntry:
    """The newest audit entry."""
    with runtime.database.read() as db:
        entry = db.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        db.expunge_all()  # what is read stays readable
        return entry


def settings_of(runtime: Runtime) -> dict[str, Any]:
    """What the sample plugin would read."""
    with runtime.database.read() as db:
        return read_settings(db, "sample")


def test_a_switch_counts_at_once_in_another_process(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any], registry_factory: Any
) -> None:
    elsewhere = Runtime(runtime.config, Database(runtime.database.url), registry_factory())

    def there() -> bool:
        with elsewhere.database.read() as db:
            return "it" in elsewhere.registry.categories(db)

    assert there()
    assert send(enter(), "/console/plugins/category_it/switch/", enabled="0").status_code == 303
    assert not there()
    assert last_entry(runtime).action == "plugin.disable"
    assert send(enter(), "/console/plugins/category_it/switch/", enabled="1").status_code == 303
    assert there()
    elsewhere.database.dispose()


@SQLITE
def test_the_console_does_not_switch_itself_off(enter: Callable[..., FlaskClient], send: Callable[..., Any]) -> None:
    client = enter()
    answer = send(client, "/console/plugins/console/switch/", enabled="0")
    assert answer.status_code == 400
    assert "helpouts plugins disable console" in answer.text
    assert client.get("/console/").status_code == 200


@SQLITE
def test_a_plugin_that_is_not_there_cannot_be_switched(
    enter: Callable[..., FlaskClient], send: Callable[..., Any]
) -> None:
    for part in ("switch", "settings", "clear"):
        assert send(enter(), f"/console/plugins/nowhere/{part}/").status_code == 404


@SQLITE
def test_a_broken_plugin_is_shown_with_its_error(runtime: Runtime, enter: Callable[..., FlaskClient]) -> None:
    def load() -> Any:
        raise ImportError("no module named printer")

    runtime.registry.add("broken", load, "helpouts-broken", "9.9")
    client = enter()
    for path in ("/console/", "/console/plugins/", "/console/plugins/broken/"):
        assert "no module named printer" in client.get(path).text, path
    page = client.get("/console/plugins/broken/").text
    assert "helpouts-broken" in page
    assert "9.9" in page
    assert "Traceback" in page
    del runtime.registry.plugins["broken"]


def test_settings_are_written_and_audited_without_the_secret(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any]
) -> None:
    client = enter()
    assert send(client, SETTINGS, **RIGHT).status_code == 303
    assert settings_of(runtime) == {
        "name": "Beta",
        "count": 5,
        "fast": True,
        "mode": "b",
        "hosts": ["one", "two"],
        "api_key": "sk-very-secret",
    }
    entry = last_entry(runtime)
    assert entry.action == "plugin.settings"
    assert entry.detail["changes"]["api_key"] == "***"
    pages = client.get("/console/plugins/sample/").text + client.get("/console/audit/").text
    assert "Beta" in pages
    assert "sk-very-secret" not in pages
    with runtime.database.read() as db:
        row = db.get_one(PluginSettingRow, ("sample", "api_key"))
        assert row.value is None
        assert "sk-very-secret" not in str(row.secret)


@SQLITE
def test_the_audit_log_calls_settings_as_their_page_does_while_the_plugin_is_there(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = enter()
    send(client, SETTINGS, **RIGHT)
    page = client.get("/console/audit/").text
    assert "How many = 5" in page
    assert "Key of the service = ***" in page
    assert "api_key" not in page
    monkeypatch.delitem(runtime.registry.plugins, "sample")
    assert "api_key = ***" in client.get("/console/audit/").text


@SQLITE
def test_an_empty_secret_field_keeps_the_secret_and_the_box_takes_it_away(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any]
) -> None:
    client = enter()
    assert "Not set." in client.get("/console/plugins/sample/").text
    send(client, SETTINGS, **RIGHT)
    assert "Not set." not in client.get("/console/plugins/sample/").text
    send(client, SETTINGS, **{**RIGHT, "setting-api_key": "", "setting-count": "6"})
    assert (settings_of(runtime)["api_key"], settings_of(runtime)["count"]) == ("sk-very-secret", 6)
    send(client, SETTINGS, **{**RIGHT, "setting-api_key": "", "clear-api_key": "1"})
    assert settings_of(runtime)["api_key"] == ""
    assert "Not set." in client.get("/console/plugins/sample/").text


@SQLITE
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"setting-count": "10"}, "The most is 9."),
        ({"setting-count": "0"}, "The least is 1."),
        ({"setting-count": "many"}, "Enter a whole number."),
        ({"setting-count": ""}, "Enter a whole number."),
        ({"setting-name": "x" * 21}, "The most is 20."),
        ({"setting-mode": "c"}, "Choose one of: a, b."),
        ({"setting-unheard": "1"}, "is not a setting"),
    ],
)
def test_a_wrong_setting_is_refused_at_its_field_and_nothing_is_written(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any], changed: dict[str, str], message: str
) -> None:
    before = settings_of(runtime)
    answer = send(enter(), SETTINGS, **{**RIGHT, **changed})
    assert answer.status_code == 400
    assert message in answer.text
    assert "sk-very-secret" not in answer.text
    assert settings_of(runtime) == before
    field = next(iter(changed))
    if field != "setting-unheard":
        assert re.search(rf'id="{field}"[^>]*aria-invalid|aria-invalid[^>]*id="{field}"', answer.text), answer.text


@SQLITE
def test_a_secret_that_points_nowhere_is_shown_as_such(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any]
) -> None:
    client = enter()
    send(client, SETTINGS, **{**RIGHT, "setting-api_key": "env:NO_SUCH_VARIABLE"})
    page = client.get("/console/plugins/sample/")
    assert page.status_code == 200
    assert "NO_SUCH_VARIABLE" in page.text


@SQLITE
def test_failures_are_shown_until_somebody_has_seen_them(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any], world: Any
) -> None:
    client = enter()
    assert "1 failure" in client.get("/console/plugins/").text
    assert send(client, "/console/plugins/sample/clear/").status_code == 303
    assert "1 failure" not in client.get("/console/plugins/").text
    assert last_entry(runtime).action == "plugin.clear_failures"


@SQLITE
def test_pages_of_plugins_open_for_those_who_hold_their_permission(enter: Callable[..., FlaskClient]) -> None:
    finance, curator, admin = enter("finance"), enter("curator"), enter("admin")
    assert "<strong>sessions</strong>" in finance.get("/console/more/sample/report/").text
    assert curator.get("/console/more/sample/report/").status_code == 403
    assert admin.get("/console/more/sample/report/").status_code == 200
    assert admin.get("/console/more/sample/loose/").status_code == 403
    assert admin.get("/console/more/sample/unheard/").status_code == 404
    assert "Weekly report" in finance.get("/console/more/").text
    assert "Weekly report" not in curator.get("/console/more/").text


@SQLITE
def test_a_plugins_page_that_fails_is_noted_and_tells_nothing(
    runtime: Runtime, enter: Callable[..., FlaskClient]
) -> None:
    page = enter().get("/console/more/sample/broken/")
    assert page.status_code == 200
    assert "could not show this page" in page.text
    assert "vault" not in page.text
    with runtime.database.read() as db:
        assert db.scalars(select(PluginFailure.plugin)).all() == ["sample"]


@SQLITE
def test_pages_of_a_plugin_that_is_off_are_gone(enter: Callable[..., FlaskClient], send: Callable[..., Any]) -> None:
    client = enter()
    send(client, "/console/plugins/sample/switch/", enabled="0")
    assert client.get("/console/more/sample/report/").status_code == 404
    assert "Water" not in client.get("/console/health/").text


@SQLITE
def test_health_shows_what_checks_find_and_survives_one_that_fails(enter: Callable[..., FlaskClient]) -> None:
    page = enter("support").get("/console/health/").text
    assert "The tap drips." in page
    assert "Close it." in page
    assert "The check itself failed: RuntimeError" in page
    assert "vault" not in page
    assert "No live process answers" in page


@SQLITE
def test_a_site_without_the_console_still_starts(runtime: Runtime) -> None:
    del runtime.registry.plugins["sample"]
    module = runtime.registry.plugins["console"].module
    runtime.registry._manager.unregister(module)
    assert create_app(runtime).test_client().get("/console/").status_code == 404
