# ruff: noqa: D102  # the names of the tests are sentences
"""The conformance suite of a notification channel.

Subclass :class:`NotificationChannelContract` in the plugin's own tests, and bring the far end, a server of your own
that stands in for whatever takes the messages::

    class TestPager(NotificationChannelContract):
        plugin = acme_pager
        name = "notify_pager"

        def set_up(self, runtime, user_id): ...  # as if the person had signed up
        def arrived(self): ...  # what the far end has taken, [(title, body, url)]
        def break_down(self): ...  # the far end fails from now on
        def mend(self): ...  # and works again
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any, ClassVar

import pytest

from helpouts.clock import clock
from helpouts.i18n import LANGUAGES, use_locale
from helpouts.notices import Notice, NotificationChannel
from helpouts.plugins.records import UserData
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_user
from helpouts.web.app import create_app


def make_notice(key: str = "notice-1", **values: Any) -> Notice:
    """A reminder that is good for an hour."""
    given: dict[str, Any] = {
        "kind": "reminder",
        "title": "Café “Zur Brücke”",
        "body": "In einer Stunde, 15:30 – mit Jonas.",
        "url": "https://helpouts.example/bookings/abc",
        "urgent": False,
        "expires_at": clock.now() + timedelta(hours=1),
        "locale": "de",
    }
    return Notice(key=key, **{**given, **values})


class NotificationChannelContract:
    """What every channel must keep."""

    plugin: ClassVar[ModuleType]
    name: ClassVar[str]

    def set_up(self, runtime: Runtime, user_id: int) -> None:
        """Do what a person does to be reached through every channel of the plugin; commit it."""
        raise NotImplementedError

    def arrived(self) -> Sequence[tuple[str, str, str]]:
        """(title, body, url) of all messages that the far end has taken, oldest first."""
        raise NotImplementedError

    def break_down(self) -> None:
        """Let the far end fail from now on, in a way that may pass."""
        raise NotImplementedError

    def mend(self) -> None:
        """Let it work again."""
        raise NotImplementedError

    @pytest.fixture
    def site(self, runtime: Runtime) -> Runtime:
        """A site whose only plugin is this one."""
        registry = Registry()
        plugin = registry.add(self.name, lambda: self.plugin, "under test", "0")
        assert plugin.loaded, plugin.error
        return Runtime(runtime.config, runtime.database, registry)

    @pytest.fixture
    def person(self, site: Runtime) -> int:
        """Somebody who is reached."""
        with site.database.write() as db:
            user_id = make_user(db).id
        self.set_up(site, user_id)
        return user_id

    def channels(self) -> tuple[NotificationChannel, ...]:
        """The plugin's channels."""
        return tuple(self.plugin.helpouts_notification_channels())

    def send(self, site: Runtime, channel: NotificationChannel, user_id: int, notice: Notice) -> None:
        """As the worker does it."""
        effect = channel.send(site, user_id, notice)
        if effect is not None:
            with site.database.write() as db:
                effect(db)

    def test_the_channels_say_what_they_are(self, site: Runtime) -> None:
        assert self.channels(), "helpouts_notification_channels returned nothing"
        for channel in self.channels():
            assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", channel.name), channel.name
            assert channel.name != "mail", "that name is taken"
            for language in LANGUAGES:
                with use_locale(language):
                    assert str(channel.label).strip()

    def test_who_has_not_set_it_up_is_not_reached(self, site: Runtime, person: int) -> None:
        with site.database.write() as db:
            other = make_user(db, "Otto Other").id
            for channel in self.channels():
                assert channel.reachable(db, person), f"{channel.name} does not reach who has set it up"
                assert not channel.reachable(db, other), f"{channel.name} reaches who has not set it up"

    def test_asking_whom_it_reaches_changes_nothing(self, site: Runtime, person: int) -> None:
        with site.database.write() as db:
            for channel in self.channels():
                channel.reachable(db, person)
            assert not [*db.new, *db.dirty, *db.deleted]

    def test_a_notice_arrives_whole(self, site: Runtime, person: int) -> None:
        for channel in self.channels():
            notice = make_notice(f"notice-{channel.name}", urgent=channel.urgent_only)
            before = len(self.arrived())
            self.send(site, channel, person, notice)
            assert list(self.arrived())[before:] == [(notice.title, notice.body, notice.url)]

    def test_the_longest_notice_arrives(self, site: Runtime, person: int) -> None:
        for channel in self.channels():
            before = len(self.arrived())
            longest = make_notice(title="ä" * 120, body="𝄞" * 500, url=f"https://helpouts.example/{'x' * 150}")
            self.send(site, channel, person, longest)
            assert len(self.arrived()) == before + 1

    def test_a_far_end_that_fails_is_an_error_and_the_next_attempt_arrives_once(
        self, site: Runtime, person: int
    ) -> None:
        for channel in self.channels():
            notice = make_notice(f"notice-again-{channel.name}", urgent=channel.urgent_only)
            before = len(self.arrived())
            self.break_down()
            with pytest.raises(Exception) as failed:
                self.send(site, channel, person, notice)
            assert str(failed.value), "say what went wrong: operators read it"
            self.mend()
            self.send(site, channel, person, notice)
            assert len(self.arrived()) == before + 1

    def test_nothing_goes_to_who_has_left(self, site: Runtime, person: int) -> None:
        erasers = [record for _, record in site.registry.surface("helpouts_user_data", UserData)]
        assert erasers, "a channel keeps addresses of people: return a UserData record"
        with site.database.write() as db:
            for record in erasers:
                record.erase(db, person)
        before = len(self.arrived())
        with site.database.read() as db:
            reached = [channel.name for channel in self.channels() if channel.reachable(db, person)]
        assert reached == []
        for channel in self.channels():
            self.send(site, channel, person, make_notice())
        assert len(self.arrived()) == before

    def test_the_panel_is_markup_without_scripts_and_styles_of_its_own(self, site: Runtime, person: int) -> None:
        app = create_app(site, TESTING=True)
        for channel in self.channels():
            if channel.panel is None:
                continue
            with app.test_request_context("/account/notices"), site.database.read() as db:
                page = channel.panel(db, person)
            assert page.strip()
            forbidden = re.findall(r"<script|<style|\sstyle=|\son\w+=", page)
            assert forbidden == [], "the site's content security policy forbids these; use the channel's module"
