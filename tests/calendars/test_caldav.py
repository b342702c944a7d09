"""CalDAV against a real server (Radicale): finding calendars, following changes, and what can go wrong."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from helpouts.calendars import service
from helpouts.calendars.models import CalendarSource
from helpouts.clock import clock
from helpouts.testing.plugin import require
from helpouts.testing.site import free_ports

from .conftest import one_database
from .server import Conversation, serving
from .texts import NOW, calendar, event

pytestmark = [one_database, pytest.mark.timeout(180)]
TEN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Radicale:
    """The server, with one account: mia, whose password is "pass word"."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "users").write_text("mia:pass word\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {
            "--server-hosts": f"127.0.0.1:{self.port}",
            "--auth-type": "htpasswd",
            "--auth-htpasswd-filename": str(self.folder / "users"),
            "--auth-htpasswd-encryption": "plain",
            "--auth-delay": "0",
            "--storage-filesystem-folder": str(self.folder / "storage"),
            "--config": "",
        }
        arguments = [part for pair in options.items() for part in pair]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([sys.executable, "-m", "radicale", *arguments], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 20
        while True:
            try:
                self.ask("OPTIONS", "/")
            except urllib.error.HTTPError:
                return
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def ask(self, method: str, path: str, body: str = "") -> bytes:
        """A request of mia's own calendar application."""
        key = b64encode(b"mia:pass word").decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "text/calendar; charset=utf-8"}
        request = urllib.request.Request(f"{self.url}{path}", body.encode() or None, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())

    def make(self, name: str, kind: str = "VEVENT") -> None:
        self.ask(
            "MKCALENDAR",
            f"/mia/{name}/",
            '<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>'
            f"<d:displayname>{name.title()} &amp; more</d:displayname><c:supported-calendar-component-set>"
            f'<c:comp name="{kind}"/></c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>',
        )

    def put(self, path: str, *parts: str) -> None:
        self.ask("PUT", f"/mia/{path}.ics", calendar(*parts))


@pytest.fixture
def radicale(tmp_path: Path) -> Iterator[Radicale]:
    if find_spec("radicale") is None:
        require("Radicale", "pip install -r requirements-tools.txt")
    (tmp_path / "radicale").mkdir()
    server = Radicale(tmp_path / "radicale")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def family(radicale: Radicale) -> Radicale:
    """Two calendars of events and a list of tasks."""
    radicale.make("family")
    radicale.make("club")
    radicale.make("tasks", "VTODO")
    radicale.put("family/1", event("1"))
    radicale.put("club/2", event("2", "20261202T100000Z", "20261202T110000Z"))
    return radicale


def account(desk, url: str, password: str = "pass word") -> int:
    return int(desk.connect(url, "caldav", user="mia", password=password, name="Mia"))


def choose(desk, source_id: int, *names: str) -> CalendarSource:
    with desk.runtime.database.write() as db:
        source = db.get_one(CalendarSource, source_id)
        service.choose(db, source, [item["href"] for item in source.collections or [] if item["name"] in names])
    return desk.work(source_id)


@pytest.mark.parametrize("path", ["", "/", "/mia/", "/mia"])
def test_calendars_are_found_from_any_address_of_the_account(desk, family, path):
    source = desk.work(account(desk, family.url + path))
    assert sorted(item["name"] for item in source.collections) == ["Club & more", "Family & more"]
    assert service.stage(source) == "choose"
    assert desk.busy() == []


def test_only_chosen_calendars_count(desk, family):
    source_id = account(desk, family.url)
    desk.work(source_id)
    source = choose(desk, source_id, "Family & more")
    assert (service.stage(source), source.events) == ("good", 1)
    assert desk.busy() == [(TEN, TEN + HOUR)]
    choose(desk, source_id, "Family & more", "Club & more")
    assert desk.busy() == [(TEN, TEN + HOUR), (TEN + DAY, TEN + DAY + HOUR)]


def test_a_single_calendar_needs_no_choice(desk, family):
    desk.work(account(desk, f"{family.url}/mia/club/"))
    assert desk.busy() == [(TEN + DAY, TEN + DAY + HOUR)]


def test_changes_moves_and_deletions_are_seen_by_the_next_reading(desk, family):
    source_id = account(desk, family.url)
    desk.work(source_id)
    choose(desk, source_id, "Family & more")
    family.put("family/1", event("1", "20261201T120000Z", "20261201T130000Z", "RRULE:FREQ=DAILY;COUNT=2"))
    desk.read(source_id)
    assert desk.busy() == [(TEN + 2 * HOUR, TEN + 3 * HOUR), (TEN + DAY + 2 * HOUR, TEN + DAY + 3 * HOUR)]
    family.ask("DELETE", "/mia/family/1.ics")
    source = desk.read(source_id)
    assert desk.busy() == []
    assert service.stage(source) == "good"


def test_repetitions_that_began_before_the_window_are_found(desk, family):
    family.put("club/3", event("3", "20200101T120000Z", "20200101T130000Z", "RRULE:FREQ=YEARLY"))
    desk.work(account(desk, f"{family.url}/mia/club/"))
    new_year = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)
    assert desk.busy()[1:] == [(new_year, new_year + HOUR)]


def test_an_unchanged_account_is_asked_for_its_token_only(desk, family):
    log = family.folder / "log"
    source_id = account(desk, f"{family.url}/mia/club/")
    desk.work(source_id)
    before = log.read_text().count("REPORT request")
    clock.set(NOW + timedelta(minutes=20))
    source = desk.read(source_id)
    assert source.read_at == NOW + timedelta(minutes=20)
    assert log.read_text().count("REPORT request") == before
    assert before > 0


def test_a_wrong_password_is_said_and_nothing_is_lost(desk, family):
    source_id = account(desk, f"{family.url}/mia/club/")
    desk.work(source_id)
    (family.folder / "users").write_text("mia:another\n")
    family.stop()
    family.start()
    source = desk.read(source_id)
    assert (source.trouble, service.stage(source)) == ("auth", "stale")
    assert len(desk.busy()) == 1
    first = desk.work(account(desk, family.url, "wrong"))
    assert (first.trouble, service.stage(first)) == ("auth", "failed")


def test_a_server_that_was_down_is_read_when_it_is_back(desk, family):
    source_id = account(desk, f"{family.url}/mia/club/")
    desk.work(source_id)
    family.stop()
    down = desk.read(source_id)
    assert (down.trouble, service.stage(down), len(desk.busy())) == ("unreachable", "stale", 1)
    family.start()
    family.put("club/9", event("9", "20261209T100000Z", "20261209T110000Z"))
    back = desk.read(source_id)
    assert (back.trouble, back.failures, service.stage(back), len(desk.busy())) == ("", 0, "good", 2)


def test_an_empty_account_says_so(desk, radicale):
    source = desk.work(account(desk, radicale.url))
    assert source.trouble == "no_calendars"


def test_what_is_no_caldav_says_so(desk):
    with serving("<html>hello</html>") as server:
        assert desk.work(account(desk, server.url)).trouble == "no_caldav"
    with serving(lambda talk: talk.answer("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "207 Multi-Status")) as server:
        assert desk.work(account(desk, server.url)).trouble == "no_caldav"


def test_the_password_goes_to_no_other_server(desk):
    with serving("") as stranger:

        def behave(talk: Conversation) -> None:
            talk.answer("", "302 Found", Location=f"http://localhost:{stranger.port}/")

        with serving(behave) as server:
            desk.runtime.config._values["calendar_allow"] = ("127.0.0.1", "localhost")
            desk.work(account(desk, server.url))
        assert "authorization" in server.seen[0].headers
        assert stranger.seen
        assert all("authorization" not in talk.headers for talk in stranger.seen)


def test_an_account_may_want_digest(desk):
    def behave(talk: Conversation) -> None:
        if talk.headers.get("authorization", "").startswith("Digest "):
            talk.answer("", "404 Not Found")
        else:
            talk.answer("", "401 No", WWW_Authenticate='Digest realm="x", nonce="abc", qop="auth", algorithm=MD5')

    with serving(behave) as server:
        source = desk.work(account(desk, server.url))
    assert source.trouble == "no_caldav"
    assert any(talk.headers.get("authorization", "").startswith("Digest ") for talk in server.seen)
