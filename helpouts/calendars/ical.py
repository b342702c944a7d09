"""Calendar invitations: one session as an iTIP message that calendars add, move and remove by themselves.

RFC 5545 (iCalendar), RFC 5546 (iTIP, sections 3.2.2 REQUEST and 3.2.5 CANCEL).  Times are in UTC, so that no zone
definition has to travel along and the reader's calendar shows its own zone.  To move a session send REQUEST again with
the same ``uid`` and a higher ``sequence``; to call it off send CANCEL with a higher ``sequence`` still.
Attach the bytes as ``text/calendar; method=REQUEST; charset=UTF-8`` (the same method as inside, RFC 6047 section 2.4).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import NamedTuple

from icalendar import PARTSTAT, ROLE, STATUS, TRANSP, Alarm, Calendar, Event, vCalAddress

from helpouts.i18n import current_locale
from helpouts.i18n import gettext as _

#: The methods of RFC 5546 that a site needs to tell people about their sessions.
METHODS = ("REQUEST", "CANCEL")
PRODID = "-//Helpouts//Helpouts//EN"
#: Control characters, which TEXT may not hold (RFC 5545 section 3.3.11); line feeds and tabs stay and are escaped.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Person(NamedTuple):
    """Somebody in an invitation; ``mail`` is a bare address such as ``mia@example.org``."""

    name: str
    mail: str


def invitation(
    *,
    uid: str,
    sequence: int,
    method: str,
    starts_at: datetime,
    ends_at: datetime,
    summary: str,
    description: str,
    url: str,
    organizer: tuple[str, str],
    attendee: tuple[str, str],
    stamp: datetime,
    reminder_minutes: int | None = None,
) -> bytes:
    """The message as UTF-8 bytes with CRLF line ends, texts as given.

    :param uid: the same for all messages about one session, unique in the world, e.g. ``4f1c@help.example.org``.
    :param sequence: 0 at first, then higher with each message that changes or calls off the session.
    :param method: REQUEST or CANCEL.
    :param starts_at: aware instant, to the second; ``ends_at`` and ``stamp`` (when this message is made) alike.
    :param url: the page of the session; also the location, since many calendars show no URL.
    :param organizer: (name, mail) of whom answers go to.
    :param attendee: (name, mail) of whom the message is for; they have booked and so are shown as coming.
    :param reminder_minutes: if given, the calendar is asked to remind that long before the start.
    :raises ValueError: for a naive instant, a session without length, an address that is none, a bad ``method`` or
        ``sequence``: the caller has these from the database, so they are bugs and not expected errors.
    """
    if ends_at <= starts_at:
        raise ValueError("a session ends after it starts")
    if method not in METHODS:
        raise ValueError(f"the method is one of {', '.join(METHODS)}")
    if sequence < 0:
        raise ValueError("the sequence starts at 0 and grows")
    event = Event.new(
        uid=uid,
        sequence=sequence,
        stamp=_utc(stamp),
        start=_utc(starts_at),
        end=_utc(ends_at),
        summary=_line(summary),
        description=_text(description) or None,
        location=url,
        url=url,
        status=STATUS.CANCELLED if method == "CANCEL" else STATUS.CONFIRMED,
        transparency=TRANSP.TRANSPARENT if method == "CANCEL" else TRANSP.OPAQUE,
        organizer=_address(Person(*organizer)),
        attendees=[_address(Person(*attendee), attending=True)],
    )
    if reminder_minutes is not None and method == "REQUEST":
        event.add_component(_reminder(summary, reminder_minutes))
    calendar = Calendar.new(prodid=PRODID, calscale="GREGORIAN", method=method)
    calendar.pop("UID", None)  # the library gives the calendar one (RFC 7986); iTIP readers have no use for it
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _reminder(summary: str, minutes: int) -> Alarm:
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", _line(summary) or _("Session"))
    alarm.add("TRIGGER", timedelta(minutes=-minutes))
    return alarm


def _address(person: Person, attending: bool = False) -> vCalAddress:
    if parseaddr(person.mail)[1] != person.mail or "@" not in person.mail:
        raise ValueError(f"not a mail address: {person.mail!r}")
    # A parameter value cannot hold double quotes or controls (RFC 5545 section 3.2), whatever people call themselves.
    name = _line(person.name).replace('"', "'")
    if not attending:
        return vCalAddress.new(person.mail, cn=name or None)
    return vCalAddress.new(
        person.mail,
        cn=name or None,
        role=ROLE.REQ_PARTICIPANT.value,
        partstat=PARTSTAT.ACCEPTED.value,
        rsvp=False,
        language=current_locale(),
    )


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("calendar times need a zone")
    return instant.astimezone(UTC).replace(microsecond=0)


def _text(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n"))


def _line(text: str) -> str:
    return " ".join(_text(text).split())
