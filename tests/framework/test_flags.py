"""Enabling and disabling: one flag in the database that every process reads at each use."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from helpouts.audit.actor import SYSTEM
from helpouts.audit.models import AuditEntry
from helpouts.catalog import Category
from helpouts.clock import clock
from helpouts.db import Database
from helpouts.errors import NotFound
from helpouts.payments import Money, NotSupported, PaymentContext, PaymentView
from helpouts.plugins.service import set_enabled
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.web.app import create_app


def categories(runtime: Runtime) -> set[str]:
    with runtime.database.read() as db:
        return set(runtime.registry.categories(db))


@pytest.fixture
def other(runtime: Runtime, registry_factory: Any) -> Any:
    """What another process would have: a database and a registry of its own."""
    database = Database(runtime.database.url)
    yield Runtime(runtime.config, database, registry_factory())
    database.dispose()


def test_another_process_obeys_at_once(runtime: Runtime, other: Runtime) -> None:
    assert "it" in categories(other)
    with runtime.database.write() as db:
        set_enabled(db, "category_it", False, SYSTEM)
    assert "it" not in categories(other)
    with runtime.database.write() as db:
        set_enabled(db, "category_it", True, SYSTEM)
    assert "it" in categories(other)


def test_a_change_that_is_rolled_back_was_never_one(runtime: Runtime, other: Runtime) -> None:
    with runtime.database.session(write=True) as db:
        set_enabled(db, "category_it", False, SYSTEM)
        assert "it" not in runtime.registry.categories(db)
        db.rollback()
    assert "it" in categories(other)


def test_the_command_line_switches_a_running_site(runtime: Runtime) -> None:
    client = create_app(runtime, TESTING=True).test_client()
    with client.get("/x/video_aiortc/static/transport.js") as before:
        assert before.status_code == 200
    environ = {"PATH": os.environ["PATH"], "HELPOUTS_DATABASE": runtime.database.url}
    environ["HELPOUTS_DATA"] = str(runtime.config.data_dir)
    command = [sys.executable, "-m", "helpouts", "plugins", "disable", "video_aiortc"]
    subprocess.run(command, env=environ, check=True, timeout=100, stdout=subprocess.DEVNULL)
    assert client.get("/x/video_aiortc/static/transport.js").status_code == 404


def test_pages_of_a_disabled_plugin_are_gone(runtime: Runtime) -> None:
    client = create_app(runtime, TESTING=True).test_client()
    assert client.get("/x/payments_wallet/").status_code == 302, "it asks to sign in"
    with runtime.database.write() as db:
        set_enabled(db, "payments_wallet", False, SYSTEM)
    assert client.get("/x/payments_wallet/").status_code == 404


def test_switching_is_audited(runtime: Runtime) -> None:
    with runtime.database.write() as db:
        set_enabled(db, "category_it", False, SYSTEM)
        entry = db.query(AuditEntry).one()
        assert (entry.action, entry.detail) == ("plugin.disable", {"plugin": "category_it"})


def test_an_unknown_plugin_cannot_be_switched_and_the_known_ones_are_named(runtime: Runtime) -> None:
    with runtime.database.write() as db, pytest.raises(NotFound, match="category_it, notify_webpush, payments_wallet"):
        set_enabled(db, "no_such_plugin", True, SYSTEM)


def test_a_category_that_is_gone_is_still_readable(db: Any) -> None:
    registry = Registry()
    standin = registry.category("gardening")
    assert isinstance(standin, Category)
    assert standin.name["en"] == "gardening"
    assert not standin.subcategories
    assert "gardening" not in registry.categories(db)


def test_a_payment_backend_that_is_gone_moves_no_money(runtime: Runtime) -> None:
    backend = Registry().payment_backend("oldpay")
    payment = PaymentView("p", "ref", Money(100, "EUR"), 100, 0, 1, 2)
    context = PaymentContext({}, clock.now())
    assert backend.name == "oldpay"
    with pytest.raises(NotSupported):
        backend.refund(context, payment, Money(1, "EUR"), "", "key")


def test_an_unknown_video_transport_is_refused_with_the_known_ones(runtime: Runtime) -> None:
    with pytest.raises(NotFound, match="known: aiortc"):
        runtime.registry.video_transport("holograms")


def test_a_hook_that_does_not_exist_has_no_listeners_but_an_error(runtime: Runtime) -> None:
    with pytest.raises(LookupError):
        runtime.registry.listeners("helpouts_no_such_event")
