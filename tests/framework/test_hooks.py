"""Every hook, as a plugin uses it: registered, called, and its records reach whoever needs them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import timeit
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from fake_distributions import HEAD, Site
from flask import Blueprint
from markupsafe import Markup
from sqlalchemy import Column, Integer, MetaData, Table

from helpouts import hookspecs
from helpouts.accounts.export import export_data
from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM
from helpouts.catalog import Category
from helpouts.cli.doctor import findings
from helpouts.db import migrate
from helpouts.jobs.service import enqueue
from helpouts.jobs.worker import Worker
from helpouts.live.server import make_app
from helpouts.notices import NotificationChannel
from helpouts.payments import PaymentBackend
from helpouts.plugins import (
    AdminView,
    HealthCheck,
    JobHandler,
    LiveRoute,
    Migrations,
    PluginBlueprint,
    Problem,
    Setting,
    UserData,
)
from helpouts.plugins.models import PluginSettingRow
from helpouts.plugins.service import set_enabled
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.sessions import VideoTransport
from helpouts.storage import StorageBackend
from helpouts.storage.folder import FolderStorage
from helpouts.vetting import VettingRule
from helpouts.web.app import create_app

HOOKS = sorted(name for spec in hookspecs.SPECS for name in vars(spec) if name.startswith("helpouts_"))
HERE = Path(__file__).parent


def plug(runtime: Runtime, name: str = "probe", **hooks: Any) -> Runtime:
    """A site whose only plugin implements these hooks; a value stands for a hook that returns it."""
    module = ModuleType(name)
    for hook, value in hooks.items():
        function = value if inspect.isfunction(value) else lambda v=value: v
        if not inspect.isfunction(value):
            function = _returning(value)
        function.__name__ = hook
        setattr(module, hook, hookspecs.hookimpl(function))
    registry = Registry()
    plugin = registry.add(name, lambda: module, "probe-distribution", "1.0")
    assert plugin.loaded, plugin.error
    return Runtime(runtime.config, runtime.database, registry)


def _returning(value: Any, name: str = "function") -> Any:
    def function() -> Any:
        return value

    function.__name__ = name
    return function


def disable(runtime: Runtime, name: str = "probe") -> None:
    with runtime.database.write() as db:
        set_enabled(db, name, False, SYSTEM)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_test_names_the_hook(hook: str) -> None:
    tests = [path.read_text("utf-8") for path in HERE.glob("test_*.py")]
    named = f"{hook}=" in "".join(tests) or f"def {hook}(" in "".join(tests) or f'"{hook}"' in "".join(tests)
    assert named or hook in EVENTS_BY_CONTRACT, f"write a test that uses {hook}"


#: Events are delivered by one mechanism (test_events.py); each is walked through here by name.
EVENTS_BY_CONTRACT = {
    "helpouts_application_decided": {"application_id": 1, "decision": "invited"},
    "helpouts_booking_confirmed": {"booking_id": 1},
    "helpouts_booking_cancelled": {"booking_id": 1, "reason": "ill"},
    "helpouts_booking_moved": {
        "booking_id": 1,
        "from_start": datetime(2026, 12, 1, 10, tzinfo=UTC),
        "to_start": datetime(2026, 12, 2, 10, tzinfo=UTC),
    },
    "helpouts_session_started": {"session_id": 1},
    "helpouts_session_ended": {"session_id": 1, "connected_seconds": 60},
    "helpouts_payment_changed": {"payment_id": 1, "state": "captured"},
    "helpouts_review_published": {"review_id": 1},
}


@pytest.mark.parametrize(("hook", "values"), EVENTS_BY_CONTRACT.items(), ids=EVENTS_BY_CONTRACT)
def test_an_event_reaches_the_plugin_with_its_values(runtime: Runtime, hook: str, values: dict[str, Any]) -> None:
    heard: list[Any] = []
    names = ", ".join(values)
    made: dict[str, Any] = {"heard": heard}
    exec(f"def listen(db, {names}):\n    heard.append(({names},))", made)  # the hook's exact signature
    site = plug(runtime, **{hook: made["listen"]})
    assert site.registry.listeners(hook) == ["probe"]
    with site.database.write() as db:
        site.registry.tell("probe", hook, db, values)
    assert heard == [tuple(values.values())]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_spec_is_typed_documented_and_its_own_no_op(hook: str) -> None:
    spec = next(getattr(s, hook) for s in hookspecs.SPECS if hasattr(s, hook))
    signature = inspect.signature(spec)
    assert (inspect.getdoc(spec) or "").endswith((".", ")"))
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not p.empty for name, p in signature.parameters.items() if name != "self")
    assert spec(*[None] * len(signature.parameters)) in ((), None)


# -- the four families ---------------------------------------------------------------------------------------

FAMILIES = {
    "helpouts_categories": (Category, "category_it", "categories", "it"),
    "helpouts_payment_backends": (PaymentBackend, "payments_wallet", "payment_backends", "wallet"),
    "helpouts_vetting_rules": (VettingRule, "vetting_profile", "vetting_rules", "profile"),
    "helpouts_video_transports": (VideoTransport, "video_aiortc", "video_transports", "aiortc"),
}


@pytest.mark.parametrize("hook", FAMILIES)
def test_records_of_a_family_come_and_go_with_the_flag(runtime: Runtime, hook: str) -> None:
    kind, plugin, method, name = FAMILIES[hook]
    assert runtime.registry.plugin_of(hook, name) == plugin
    with runtime.database.write() as db:
        look_up = getattr(runtime.registry, method)
        assert isinstance(look_up(db)[name], kind)
        set_enabled(db, plugin, False, SYSTEM)
        assert name not in look_up(db)


# -- surfaces ------------------------------------------------------------------------------------------------


def test_helpouts_blueprints_are_mounted_behind_their_permission_and_the_flag(runtime: Runtime) -> None:
    pages = Blueprint("probe_pages", __name__)
    pages.add_url_rule("/hello", "hello", lambda: "hello")
    secret = Blueprint("probe_secret", __name__)
    secret.add_url_rule("/secret", "secret", lambda: "secret")
    site = plug(runtime, helpouts_blueprints=(PluginBlueprint(pages, "public"), PluginBlueprint(secret)))
    client = create_app(site, TESTING=True).test_client()
    assert client.get("/x/probe/hello").text == "hello"
    assert "/login" in client.get("/x/probe/secret").headers["Location"]
    disable(site)
    assert client.get("/x/probe/hello").status_code == 404
    assert client.get("/x/probe/secret").status_code == 404


def test_helpouts_web_app_extends_the_application(runtime: Runtime) -> None:
    def extend(app: Any) -> None:
        app.extensions["probe"] = "was here"

    assert create_app(plug(runtime, helpouts_web_app=extend)).extensions["probe"] == "was here"


def test_helpouts_admin_views_are_surfaced_to_the_console(runtime: Runtime) -> None:
    view = AdminView("figures", "Figures", "finance", lambda _db: Markup("<p>7</p>"))
    site = plug(runtime, helpouts_admin_views=(view,))
    assert list(site.registry.surface("helpouts_admin_views", AdminView)) == [("probe", view)]


def test_helpouts_cli_commands_run_below_the_name_of_the_plugin(site: Site, runtime: Runtime) -> None:
    site.install(
        "probe",
        HEAD + "import click\nfrom helpouts.plugins import CliCommand\n"
        "@click.command()\n@click.pass_obj\n"
        "def greet(runtime):\n    click.echo(f'hello from {runtime.config.site_name}')\n"
        "@hookimpl\ndef helpouts_cli_commands():\n    return (CliCommand(greet),)\n",
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site.folder), "HELPOUTS_SITE_NAME": "Here"}
    environ |= {"HELPOUTS_DATABASE": runtime.database.url, "HELPOUTS_DATA": str(runtime.config.data_dir)}
    command = [sys.executable, "-m", "helpouts", "x", "probe", "greet"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.returncode) == ("hello from Here\n", 0), done.stderr


def test_helpouts_health_checks_are_part_of_the_doctors_findings(runtime: Runtime) -> None:
    check = HealthCheck("probe", "Probe", lambda _db, _settings: (Problem("error", "it hurts", "rest"),))
    site = plug(runtime, helpouts_health_checks=(check,))
    with site.database.write_engine.begin() as connection:
        for name, metadata, versions in migrate.branches(site.registry):
            migrate.command.stamp(migrate.alembic_config(name, metadata, versions, connection), "head")
    assert "it hurts" in [problem.text for problem in findings(site)]
    disable(site)
    assert "it hurts" not in [problem.text for problem in findings(site)]


def test_a_health_check_that_raises_and_settings_that_do_not_fit_are_findings(runtime: Runtime) -> None:
    bad = HealthCheck("bad", "Bad", lambda _db, _settings: [1 / 0])  # type: ignore[list-item]  # it never returns
    site = plug(runtime, helpouts_health_checks=(bad,), helpouts_settings=(Setting("rate", int, 1, "Rate"),))
    with site.database.write_engine.begin() as connection:
        migrate.command.stamp(migrate.alembic_config(*next(iter(migrate.branches(site.registry))), connection), "head")
    assert any("the check bad failed: ZeroDivisionError" in str(problem.text) for problem in findings(site))
    with site.database.write() as db:
        db.add(PluginSettingRow(plugin="probe", key="rate", value="many"))
    assert any("probe.rate does not fit" in str(problem.text) for problem in findings(site))


def test_helpouts_jobs_run_on_demand_and_only_while_enabled(runtime: Runtime) -> None:
    done: list[Any] = []
    job = JobHandler("count", lambda _db, payload: done.append(dict(payload)))
    site = plug(runtime, helpouts_jobs=(job,))
    with site.database.write() as db:
        enqueue(db, "probe.count", {"n": 1})
    Worker(site).drain()
    disable(site)
    with site.database.write() as db:
        enqueue(db, "probe.count", {"n": 2})
    Worker(site).drain()
    assert done == [{"n": 1}]


async def test_helpouts_live_routes_are_mounted_behind_the_flag(runtime: Runtime) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="live")

    site = plug(runtime, helpouts_live_routes=(LiveRoute("GET", "/answer", answer),))
    async with TestClient(TestServer(make_app(site))) as client:
        assert await (await client.get("/x/probe/answer")).text() == "live"
        disable(site)
        assert (await client.get("/x/probe/answer")).status == 404


REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "probe_0001", None
def upgrade():
    op.create_table("probe_thing", sa.Column("id", sa.Integer(), primary_key=True))
"""


def test_helpouts_migrations_run_in_a_branch_of_their_own(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001.py").write_text(REVISION)
    metadata = MetaData()
    Table("probe_thing", metadata, Column("id", Integer, primary_key=True))
    site = plug(runtime, helpouts_migrations=(Migrations(metadata, str(tmp_path / "versions")),))
    with site.database.write_engine.begin() as connection:
        core = next(iter(migrate.branches(site.registry)))
        migrate.command.stamp(migrate.alembic_config(*core, connection), "head")
    assert migrate.pending(site.database, site.registry) == ["probe"]
    assert migrate.upgrade(site.database, site.registry) == ["probe"]
    assert migrate.pending(site.database, site.registry) == []
    with site.database.engine.connect() as connection:
        assert migrate.current(connection, "probe") == "probe_0001"
        connection.rollback()


def test_a_migration_that_fails_marks_its_plugin_and_not_the_site(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "0001.py").write_text(REVISION + "    raise ZeroDivisionError('no table today')\n")
    metadata = MetaData()
    Table("probe_thing", metadata, Column("id", Integer, primary_key=True))
    site = plug(runtime, helpouts_migrations=(Migrations(metadata, str(tmp_path)),))
    with site.database.write_engine.begin() as connection:
        migrate.command.stamp(migrate.alembic_config(*next(iter(migrate.branches(site.registry))), connection), "head")
    assert migrate.upgrade(site.database, site.registry) == []
    assert "no table today" in site.registry.plugins["probe"].error


def test_migrations_that_cannot_be_read_mark_their_plugin_and_not_the_site(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "0001.py").write_text("def (:")
    metadata = MetaData()
    Table("probe_thing", metadata, Column("id", Integer, primary_key=True))
    site = plug(runtime, helpouts_migrations=(Migrations(metadata, str(tmp_path)),))
    assert "probe" not in migrate.pending(site.database, site.registry)
    assert "its migrations cannot be read: SyntaxError" in site.registry.plugins["probe"].error


def test_a_folder_of_migrations_that_is_not_there_fails_the_plugin() -> None:
    module = ModuleType("probe")
    record = Migrations(MetaData(), "/no/such/folder")
    module.helpouts_migrations = hookspecs.hookimpl(_returning((record,), "helpouts_migrations"))  # type: ignore[attr-defined]  # modules take attributes
    assert "/no/such/folder" in Registry().add("probe", lambda: module).error


def test_helpouts_user_data_is_part_of_a_persons_export(runtime: Runtime) -> None:
    data = UserData(lambda _db, user_id: {"shoe size": 40 + user_id}, lambda _db, _user_id: None)
    site = plug(runtime, helpouts_user_data=(data,))
    with site.database.write() as db:
        user = User(email="somebody@example.org", name="Somebody")
        db.add(user)
        db.flush()
        assert export_data(db, user)["plugins"] == {"probe": {"shoe size": 40 + user.id}}
        set_enabled(db, "probe", False, SYSTEM)
        assert export_data(db, user)["plugins"], "what a disabled plugin knows is the person's all the same"


def test_helpouts_notification_channels_come_and_go_with_the_flag(runtime: Runtime) -> None:
    channel = NotificationChannel("pager", "Pager", lambda _db, _user: True, lambda _runtime, _user, _notice: None)
    site = plug(runtime, helpouts_notification_channels=(channel,))
    with site.database.write() as db:
        assert site.registry.notification_channels(db) == {"pager": channel}
        set_enabled(db, "probe", False, SYSTEM)
        assert site.registry.notification_channels(db) == {}


def test_helpouts_storage_backends_come_and_go_with_the_flag(runtime: Runtime) -> None:
    backend = StorageBackend("shelf", "Shelf", "", lambda context: FolderStorage(context.data_dir))
    site = plug(runtime, helpouts_storage_backends=(backend,))
    with site.database.write() as db:
        assert site.registry.storage_backends(db) == {"shelf": backend}
        set_enabled(db, "probe", False, SYSTEM)
        assert site.registry.storage_backends(db) == {}
    assert site.registry.storage_backend("shelf") is backend


def test_helpouts_demo_gives_people_what_they_need(runtime: Runtime) -> None:
    given: list[Any] = []

    def fill(db: Any, customers: Sequence[int], experts: Sequence[int]) -> None:
        given.append((customers, experts))

    site = plug(runtime, helpouts_demo=fill)
    with site.database.write() as db:
        site.registry.fill_demo(db, [1, 2], [3])
    assert given == [([1, 2], [3])]


def test_what_a_hook_call_costs(runtime: Runtime, record_property: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Measured and shown, not judged: look-ups of records are dictionary look-ups, events a call each."""

    def heard(db: Any, booking_id: int) -> None: ...

    site = plug(runtime, helpouts_booking_confirmed=heard)
    with site.database.read() as db:
        registry = site.registry
        event = timeit.timeit(
            lambda: registry.tell("probe", "helpouts_booking_confirmed", db, {"booking_id": 1}), number=200
        )
        look_up = timeit.timeit(lambda: registry.categories(db), number=200)
    with capsys.disabled():
        print(
            f"\none event to one plugin: {event / 200 * 1e6:.1f} us; enabled categories: {look_up / 200 * 1e6:.1f} us"
        )
    record_property("event_us", event / 200 * 1e6)
