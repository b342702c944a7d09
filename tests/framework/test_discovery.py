"""Installed plugins are found; one that is broken is shown with its distribution and never takes the site down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_distributions import HEAD, Site, category, raising, tables

from helpouts.config import load_config
from helpouts.registry import Registry, load_registry
from helpouts.runtime import Runtime
from helpouts.web.app import create_app


def load(**options: Any) -> Registry:
    """Everything that is installed here, the real plugins and the fake ones."""
    return load_registry(load_config({}, **options))


def test_a_good_plugin_is_found_with_its_distribution_and_version(site: Site) -> None:
    site.install("fake_music", category("music"), version="2.5")
    plugin = load().plugins["fake_music"]
    assert (plugin.loaded, plugin.distribution, plugin.version) == (True, "fake-fake-music", "2.5")
    assert [record.slug for record in plugin.records["helpouts_categories"]] == ["music"]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import there_is_no_such_module\n", "cannot be loaded: ModuleNotFoundError"),
        ("raise SystemExit('I do not like this Python')\n", "cannot be loaded: SystemExit"),
        ("def (:\n", "cannot be loaded: SyntaxError"),
        (HEAD + "@hookimpl\ndef helpouts_no_such_hook():\n    return ()\n", "cannot be loaded: PluginValidationError"),
        (HEAD + "@hookimpl\ndef helpouts_jobs(wrong):\n    return ()\n", "cannot be loaded: PluginValidationError"),
        (raising("helpouts_categories"), "raised in a hook: ZeroDivisionError: no records today"),
        (raising("helpouts_settings"), "raised in a hook: ZeroDivisionError"),
        (HEAD + "@hookimpl\ndef helpouts_jobs():\n    yield 1/0\n", "raised in a hook: ZeroDivisionError"),
        (HEAD + "@hookimpl\ndef helpouts_jobs():\n    return 5\n", "raised in a hook: TypeError"),
        (
            HEAD + "@hookimpl\ndef helpouts_categories():\n    return ({'slug': 'x'},)\n",
            "returns Category records, not dict",
        ),
        (tables("fake_bad_ok", "booking"), "the tables of a plugin are named fake_bad_*; rename booking"),
        (category("it"), "has two records named 'it'"),
        (category("music") + "\n_one = helpouts_categories\n", ""),
    ],
)
def test_a_broken_plugin_is_shown_and_the_site_starts(site: Site, tmp_path: Path, source: str, error: str) -> None:
    site.install("fake_bad", source, version="0.3")
    registry = load(data=str(tmp_path))
    plugin = registry.plugins["fake_bad"]
    assert error in plugin.error
    assert plugin.loaded == (error == "")
    assert (plugin.distribution, plugin.version) == ("fake-fake-bad", "0.3")
    assert registry.plugins["category_it"].loaded
    if error:
        assert plugin.traceback
        assert plugin.records == {}


def test_the_site_serves_pages_with_broken_plugins_installed(site: Site, runtime: Runtime) -> None:
    site.install("fake_import", "import there_is_no_such_module\n")
    site.install("fake_hook", raising("helpouts_blueprints"))
    site.install(
        "fake_pages",
        HEAD + "@hookimpl\ndef helpouts_web_app(app):\n    raise ZeroDivisionError('no pages today')\n",
    )
    broken = Runtime(runtime.config, runtime.database, load())
    client = create_app(broken, TESTING=True).test_client()
    assert client.get("/").status_code == 200
    assert "cannot extend the web application" in broken.registry.plugins["fake_pages"].error


def test_two_records_of_one_name_in_one_plugin_are_refused(site: Site) -> None:
    twice = category("music").replace("    return (", "    return 2 * (")
    site.install("fake_music", twice)
    assert "two records named 'music'" in load().plugins["fake_music"].error


def test_a_name_that_is_taken_is_reported_with_both_distributions(site: Site) -> None:
    site.install("category_it", category("music"), distribution="zz-impostor", version="6.6")
    registry = load()
    assert registry.plugins["category_it"].distribution == "helpouts-category-it"
    impostor = registry.plugins["category_it (zz-impostor)"]
    assert not impostor.loaded
    assert "helpouts-category-it 0.1.0" in impostor.error
    assert "zz-impostor 6.6" in impostor.error
    assert registry.category("music").subcategories == (), "a stand-in: nobody offers it"


def test_entry_points_that_cannot_be_read_are_a_failed_plugin(site: Site) -> None:
    site.info("fake-garbled", "[helpouts]\nthis line has no equals sign\n")
    plugin = load().plugins["fake-garbled"]
    assert "its entry points cannot be read" in plugin.error


def test_leftovers_of_an_uninstalled_distribution_are_no_obstacle(site: Site) -> None:
    (site.info("fake-half-gone", "[helpouts]\n") / "METADATA").unlink()
    assert load().plugins["category_it"].loaded


def test_plugins_off_is_not_loaded_at_all(site: Site) -> None:
    site.install("fake_bad", "raise SystemExit('imported')\n")
    config = load_config({"HELPOUTS_PLUGINS_OFF": "fake_bad, category_fashion"})
    registry = load_registry(config)
    assert not {"fake_bad", "category_fashion"} & set(registry.plugins)
    assert "category_it" in registry.plugins


def test_safe_mode_loads_only_what_comes_with_helpouts(site: Site) -> None:
    site.install("fake_bad", "raise SystemExit('imported')\n", author="Somebody Else")
    registry = load_registry(load_config({"HELPOUTS_SAFE_MODE": "1"}))
    assert "fake_bad" not in registry.plugins
    assert {"category_it", "payments_wallet", "video_aiortc", "console"} <= set(registry.plugins)


def test_the_command_line_lists_a_broken_plugin_with_its_error(site: Site, tmp_path: Path) -> None:
    site.install("fake_bad", "import there_is_no_such_module\n", version="0.3")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site.folder), "HELPOUTS_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-m", "helpouts", "plugins", "list", "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=100)
    row = next(row for row in json.loads(done.stdout) if row["name"] == "fake_bad")
    assert row["state"] == "failed"
    assert (row["distribution"], row["version"]) == ("fake-fake-bad", "0.3")
    assert "there_is_no_such_module" in row["error"]
