"""CalDAV (RFC 4791): finding the calendars of an account, noticing changes, reading events of a time range.

Written here, on :mod:`helpouts.calendars.fetch`, rather than with the library caldav: that one brings its own HTTP
stack, which resolves names and follows redirects by itself, so that the guard against private addresses would not
hold for it.  What is needed of the protocol is three requests.

A change is noticed by the collection's sync token (RFC 6578) or its older sibling CTag, and then the time range is read
anew: one request, exact whatever happened in between, and nothing of the events has to be kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from helpouts.calendars.fetch import Answer, Client
from helpouts.calendars.models import Collection
from helpouts.calendars.trouble import Trouble

_DAV, _CAL, _CS = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}"
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_NAMESPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/"'
#: Calendars of one account that are shown.
MOST_COLLECTIONS = 50


async def discover(client: Client, url: str) -> list[Collection]:
    """The calendars of an account that hold events, from any address of it: server, principal, home or calendar.

    The way of RFC 6764 section 6: the address, else ``/.well-known/caldav``; the principal; its home; what is there.

    :raises Trouble: ``auth``, ``no_caldav``, ``no_calendars`` or what :mod:`helpouts.calendars.fetch` raises.
    """
    wanted = "<d:current-user-principal/><c:calendar-home-set/><d:resourcetype/><d:displayname/>"
    wanted += "<c:supported-calendar-component-set/>"
    first: list[_Resource] = []
    for candidate in dict.fromkeys((url, urljoin(url, "/.well-known/caldav"), urljoin(url, "/"))):
        try:
            first = await _properties(client, candidate, wanted, "0")
        except Trouble as trouble:
            if trouble.code not in ("gone", "status", "no_caldav", "redirects"):
                raise
            continue
        if first and (first[0].link("current-user-principal", _DAV) or first[0].is_calendar):
            break
    else:
        raise Trouble("no_caldav")
    if first[0].is_calendar:
        return [first[0].collection(chosen=True)]
    principal = first[0].link("current-user-principal", _DAV)
    client.trust(principal)
    at_principal = await _properties(client, principal, "<c:calendar-home-set/>", "0")
    home = next((r.link("calendar-home-set", _CAL) for r in [*at_principal, first[0]]), "")
    if not home:
        raise Trouble("no_calendars")
    client.trust(home)
    found = [resource for resource in await _properties(client, home, wanted, "1") if resource.is_calendar]
    if not found:
        raise Trouble("no_calendars")
    return [resource.collection(chosen=len(found) == 1) for resource in found[:MOST_COLLECTIONS]]


async def state(client: Client, hrefs: Sequence[str]) -> str:
    """A text that stays the same while nothing changes in these calendars; "" when a server cannot tell."""
    tokens = []
    for href in hrefs:
        found = await _properties(client, href, "<d:sync-token/><s:getctag/>", "0")
        token = next((r.text("sync-token", _DAV) or r.text("getctag", _CS) for r in found), "")
        if not token:
            return ""
        tokens.append(f"{href} {token}")
    return "\n".join(tokens)


async def events(client: Client, href: str, start: datetime, end: datetime) -> list[str]:
    """The iCalendar texts of a calendar that touch a time range, repeating ones whole (RFC 4791 section 7.8)."""
    first, last = (f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (start, end))
    query = (
        f'<?xml version="1.0" encoding="utf-8"?><c:calendar-query {_NAMESPACES}>'
        "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
        '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
        f"<c:time-range start={quoteattr(first)} end={quoteattr(last)}/>"
        "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    )
    answer = await client.request("REPORT", href, query, {**_XML, "Depth": "1"})
    return [text for text in (r.text("calendar-data", _CAL) for r in _resources(answer)) if text]


class _Resource:
    """One ``response`` of a multistatus answer."""

    def __init__(self, url: str, element: ElementTree.Element) -> None:
        self.url = urljoin(url, (element.findtext(f"{_DAV}href") or "").strip())
        self._base = url
        self._props = [
            prop
            for stat in element.iter(f"{_DAV}propstat")
            if " 200" in (stat.findtext(f"{_DAV}status") or " 200")
            for prop in stat.iter(f"{_DAV}prop")
        ]

    def _find(self, name: str, space: str) -> ElementTree.Element | None:
        return next((found for prop in self._props if (found := prop.find(space + name)) is not None), None)

    def text(self, name: str, space: str) -> str:
        found = self._find(name, space)
        return (found.text or "").strip() if found is not None else ""

    def link(self, name: str, space: str) -> str:
        """The address within a property, absolute, or ""."""
        found = self._find(name, space)
        href = found.findtext(f"{_DAV}href") if found is not None else None
        return urljoin(self._base, href.strip()) if href and href.strip() else ""

    @property
    def is_calendar(self) -> bool:
        """Whether it is a calendar that can hold events."""
        kind = self._find("resourcetype", _DAV)
        if kind is None or kind.find(f"{_CAL}calendar") is None:
            return False
        components = self._find("supported-calendar-component-set", _CAL)
        names = [comp.get("name") for comp in components] if components is not None else []
        return not names or "VEVENT" in names

    def collection(self, *, chosen: bool) -> Collection:
        path = urlsplit(self.url).path.rstrip("/").rpartition("/")[2]
        name = " ".join((self.text("displayname", _DAV) or path).split())[:80]
        return Collection(href=self.url, name=name, chosen=chosen)


async def _properties(client: Client, url: str, wanted: str, depth: str) -> list[_Resource]:
    body = f'<?xml version="1.0" encoding="utf-8"?><d:propfind {_NAMESPACES}><d:prop>{wanted}</d:prop></d:propfind>'
    answer = await client.request("PROPFIND", url, body, {**_XML, "Depth": depth})
    return list(_resources(answer))


def _resources(answer: Answer) -> Iterator[_Resource]:
    check(answer)
    # A document type could declare entities that grow without end; no server of this protocol needs one.
    if answer.status != 207 or "<!DOCTYPE" in answer.text:
        raise Trouble("no_caldav")
    try:
        tree = ElementTree.fromstring(answer.text)  # noqa: S314  # bounded in size, and without a document type
    except (ElementTree.ParseError, ValueError):
        raise Trouble("no_caldav") from None
    yield from (_Resource(answer.url, element) for element in tree.iter(f"{_DAV}response"))


def check(answer: Answer) -> None:
    """Refuse what is no success.

    :raises Trouble: ``auth``, ``gone`` or ``status``.
    """
    if answer.status in (401, 403, 407):
        raise Trouble("auth", answer.status)
    if answer.status in (404, 410):
        raise Trouble("gone", answer.status)
    if answer.status not in (200, 207, 304):
        raise Trouble("status", answer.status)
