"""Invitations, read back with a parser that is not the one that wrote them (vobject)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import vobject

from helpouts.calendars.ical import invitation
from helpouts.i18n import use_locale

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "uid": "4f1c@help.example.org",
    "sequence": 0,
    "method": "REQUEST",
    "starts_at": NINE,
    "ends_at": NINE + timedelta(minutes=30),
    "summary": "Drucker einrichten",
    "description": "Bring the manual.",
    "url": "https://help.example.org/bookings/4f1c?from=calendar;x=1,2",
    "organizer": ("Ada Lovelace", "ada@example.org"),
    "attendee": ("Mia Muster", "mia@example.com"),
    "stamp": datetime(2026, 11, 23, 20, 0, 0, 123456, tzinfo=UTC),
}


def sent(**changes: Any) -> bytes:
    return invitation(**GIVEN | changes)


def read(**changes: Any) -> Any:
    return vobject.readOne(sent(**changes).decode())


def test_a_request_says_when_where_and_who() -> None:
    calendar = read()
    event = calendar.vevent
    assert (calendar.version.value, calendar.method.value, calendar.prodid.value) == (
        "2.0",
        "REQUEST",
        "-//Helpouts//Helpouts//EN",
    )
    assert (event.dtstart.value, event.dtend.value) == (NINE, NINE + timedelta(minutes=30))
    assert (event.uid.value, event.sequence.value, event.status.value) == ("4f1c@help.example.org", "0", "CONFIRMED")
    assert event.url.value == event.location.value == GIVEN["url"]
    assert (event.organizer.value, event.organizer.cn_param) == ("mailto:ada@example.org", "Ada Lovelace")
    assert (event.attendee.value, event.attendee.cn_param) == ("mailto:mia@example.com", "Mia Muster")
    assert (event.attendee.partstat_param, event.attendee.rsvp_param) == ("ACCEPTED", "FALSE")


def test_the_required_properties_of_rfc_5546_are_there_once() -> None:
    for method in ("REQUEST", "CANCEL"):
        event = read(method=method).vevent
        for name in ("dtstamp", "dtstart", "dtend", "uid", "sequence", "organizer", "attendee", "summary", "status"):
            assert len(event.contents[name]) == 1, (method, name)


def test_times_travel_in_utc_whatever_zone_they_come_in() -> None:
    kolkata = timezone(timedelta(hours=5, minutes=30))
    lines = sent(starts_at=NINE.astimezone(kolkata)).decode().split("\r\n")
    assert "DTSTART:20261124T090000Z" in lines
    assert "DTSTAMP:20261123T200000Z" in lines


def test_a_cancellation_keeps_the_uid_and_gives_the_time_back() -> None:
    calendar = read(method="CANCEL", sequence=2, reminder_minutes=10)
    event = calendar.vevent
    assert (calendar.method.value, event.status.value, event.transp.value) == ("CANCEL", "CANCELLED", "TRANSPARENT")
    assert (event.uid.value, event.sequence.value) == (GIVEN["uid"], "2")
    assert "valarm" not in event.contents


def test_a_reminder_comes_before_the_start() -> None:
    alarm = read(reminder_minutes=10).vevent.valarm
    assert (alarm.action.value, alarm.trigger.value) == ("DISPLAY", timedelta(minutes=-10))
    assert alarm.description.value == "Drucker einrichten"


@pytest.mark.parametrize(
    "text",
    [
        "Komma, Semikolon; Backslash \\n Doppelpunkt:",
        "Zeile eins\nZeile zwei",
        "Ünïcödé 日本語 " * 20,
        "",
        "END:VEVENT",
    ],
)
def test_what_people_write_comes_back_as_they_wrote_it(text: str) -> None:
    event = read(description=text, summary=text.replace("\n", " ")).vevent
    assert event.summary.value == " ".join(text.split())
    assert (event.description.value if text else "") == text


@pytest.mark.parametrize(
    "text", ["x\r\nATTENDEE:mailto:evil@example.org", "x\nEND:VEVENT\nBEGIN:VEVENT", "x\x00\x07y\x0b"]
)
def test_no_text_can_add_a_line_of_its_own(text: str) -> None:
    raw = sent(summary=text, description=text, organizer=(text, "ada@example.org"), attendee=(text, "mia@example.com"))
    calendar = vobject.readOne(raw.decode())
    assert len(calendar.vevent_list) == 1
    assert [person.value for person in calendar.vevent.attendee_list] == ["mailto:mia@example.com"]
    assert not any(byte < 32 and byte not in b"\r\n" for byte in raw)


def test_a_name_with_quotes_stays_one_parameter() -> None:
    assert read(attendee=('Mia "M"; X, Y: Z', "mia@example.com")).vevent.attendee.cn_param == "Mia 'M'; X, Y: Z"


def test_lines_are_folded_at_75_octets_and_end_with_crlf() -> None:
    raw = sent(summary="Ünïcödé " * 40, description="日本語" * 60)
    assert raw.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 and b"\n" not in line for line in raw.split(b"\r\n"))


def test_the_attendee_is_written_to_in_the_language_in_force() -> None:
    with use_locale("de"):
        assert b"LANGUAGE=de" in sent()


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": NINE},
        {"sequence": -1},
        {"method": "PUBLISH"},
        {"starts_at": datetime(2026, 11, 24, 9)},  # noqa: DTZ001 - a naive one is the point
        {"stamp": datetime(2026, 11, 23)},  # noqa: DTZ001 - a naive one is the point
        {"attendee": ("Mia", "mia")},
        {"organizer": ("Ada", "Ada <ada@example.org>")},
    ],
)
def test_what_only_a_bug_can_send_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        sent(**changes)
