"""A notice goes once through each channel that reaches a person and that the person wants, in their language."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.models import Job
from helpouts.jobs.worker import Worker
from helpouts.notices import Notice, NotificationChannel
from helpouts.notices.choices import choose, wants
from helpouts.notices.kinds import KINDS
from helpouts.notices.service import notify
from helpouts.plugins.models import PluginFailure
from helpouts.plugins.service import set_enabled
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_user


@dataclass
class Pager:
    """A channel that writes down what it is given; the first ``failures`` attempts fail."""

    sent: list[tuple[int, Notice]] = field(default_factory=list)
    reached: bool = True
    failures: int = 0

    def channel(self, name: str = "pager", *, urgent_only: bool = False) -> NotificationChannel:
        return NotificationChannel(name, "Pager", lambda _db, _user: self.reached, self.send, urgent_only)

    def send(self, _runtime: Runtime, user_id: int, notice: Notice) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the pager is busy")
        self.sent.append((user_id, notice))


def with_channels(runtime: Runtime, *channels: NotificationChannel) -> Runtime:
    module = ModuleType("paging")

    @hookimpl
    def helpouts_notification_channels() -> Any:
        return channels

    module.helpouts_notification_channels = helpouts_notification_channels  # type: ignore[attr-defined]  # modules take attributes
    registry = Registry()
    plugin = registry.add("paging", lambda: module, "paging", "1")
    assert plugin.loaded, plugin.error
    return Runtime(runtime.config, runtime.database, registry)


@pytest.fixture
def pager() -> Pager:
    return Pager()


@pytest.fixture
def site(runtime: Runtime, pager: Pager) -> Runtime:
    return with_channels(runtime, pager.channel(), pager.channel("siren", urgent_only=True))


def tell(site: Runtime, **more: Any) -> int:
    with site.database.write() as db:
        user = make_user(db, locale="de")
        notify(db, user.id, "ring", _l("Free"), "Somebody  waits\nfor you.", "/desk", **more)
        return user.id


def test_a_notice_reaches_the_channel_after_the_commit_in_the_receivers_language(site: Runtime, pager: Pager) -> None:
    user_id = tell(site)
    assert pager.sent == []
    Worker(site).drain()
    ((to, notice),) = pager.sent
    assert (to, notice.title, notice.body, notice.locale) == (user_id, "Kostenlos", "Somebody waits for you.", "de")
    assert notice.url == f"{site.config.public_url.rstrip('/')}/desk"
    assert (notice.kind, notice.urgent) == ("ring", False)


def test_what_is_rolled_back_is_not_sent(site: Runtime, pager: Pager) -> None:
    with site.database.session(write=True) as db:
        notify(db, make_user(db).id, "ring", "A", "B", "/")
        db.rollback()
    Worker(site).drain()
    assert pager.sent == []


def test_an_urgent_notice_also_goes_through_channels_for_urgent_ones(site: Runtime, pager: Pager) -> None:
    tell(site, urgent=True)
    Worker(site).drain()
    assert [notice.urgent for _, notice in pager.sent] == [True, True]


def test_an_urgent_notice_is_dropped_after_a_minute(site: Runtime, pager: Pager) -> None:
    tell(site, urgent=True)
    clock.advance(timedelta(seconds=61))
    Worker(site).drain()
    assert pager.sent == []


def test_a_channel_that_fails_is_tried_again_with_the_same_key_and_shown(site: Runtime, pager: Pager) -> None:
    pager.failures = 1
    tell(site)
    worker = Worker(site)
    worker.drain()
    assert pager.sent == []
    clock.advance(timedelta(seconds=5))
    worker.drain()
    with site.database.read() as db:
        (failure,) = db.scalars(select(PluginFailure))
        assert (failure.plugin, failure.where) == ("paging", "notice.send")
        job = db.scalars(select(Job).where(Job.kind == "notice.send")).one()
        assert [notice.key for _, notice in pager.sent] == [f"notice-{job.id}"]


def test_nothing_is_promised_to_whom_the_channel_does_not_reach(site: Runtime, pager: Pager) -> None:
    pager.reached = False
    tell(site)
    with site.database.read() as db:
        assert db.scalars(select(Job)).all() == []


def test_a_channel_that_cannot_tell_whom_it_reaches_does_not_harm_the_change(runtime: Runtime) -> None:
    def broken(_db: Any, _user_id: int) -> bool:
        raise ZeroDivisionError

    site = with_channels(runtime, NotificationChannel("pager", "Pager", broken, Pager().send))
    tell(site)
    with site.database.read() as db:
        assert [job.kind for job in db.scalars(select(Job))] == ["notice.send"]


def test_a_choice_made_after_the_promise_counts(site: Runtime, pager: Pager) -> None:
    user_id = tell(site)
    with site.database.write() as db:
        choose(db, user_id, ["pager"], {})
    Worker(site).drain()
    assert pager.sent == []


def test_a_plugin_that_was_switched_off_meanwhile_is_not_asked(site: Runtime, pager: Pager) -> None:
    tell(site)
    with site.database.write() as db:
        set_enabled(db, "paging", False, SYSTEM)
    Worker(site).drain()
    assert pager.sent == []


def test_two_channels_of_one_name_are_refused() -> None:
    module = ModuleType("paging")

    @hookimpl
    def helpouts_notification_channels() -> Any:
        return (Pager().channel(), Pager().channel())

    module.helpouts_notification_channels = helpouts_notification_channels  # type: ignore[attr-defined]  # modules take attributes
    assert "two records named 'pager'" in Registry().add("paging", lambda: module).error


def test_an_unknown_kind_is_refused_with_the_known_ones(db: Any) -> None:
    with pytest.raises(LookupError, match="known: booking, reminder"):
        notify(db, 1, "gossip", "A", "B", "/")


def test_a_switch_that_is_off_stays_off_and_others_stay_on(db: Any) -> None:
    user = make_user(db)
    everything = {(kind, channel): True for kind in KINDS for channel in ("mail", "pager")}
    choose(db, user.id, ["mail", "pager"], {**everything, ("reminder", "mail"): False, ("ring", "pager"): False})
    assert not wants(db, user.id, "reminder")
    assert not wants(db, user.id, "ring", "pager")
    assert wants(db, user.id, "reminder", "pager")
    choose(db, user.id, ["mail"], everything)
    assert wants(db, user.id, "reminder")
    assert not wants(db, user.id, "ring", "pager"), "a channel that was not on the page keeps its switches"


def test_the_mail_of_a_booking_cannot_be_switched_off(db: Any) -> None:
    user = make_user(db)
    choose(db, user.id, ["mail"], {})
    assert wants(db, user.id, "booking")
