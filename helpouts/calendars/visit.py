"""One visit to a calendar elsewhere: asks whether it has changed, and reads it when it has.  Knows no database."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from helpouts.calendars import caldav
from helpouts.calendars.fetch import Client
from helpouts.calendars.models import Collection
from helpouts.calendars.trouble import Trouble
from helpouts.calendars.vault import Access

#: Seconds for a whole visit, and for one to a server that failed the last time: it must not hold up other work.
PATIENCE, IMPATIENCE = 20.0, 8.0


@dataclass(frozen=True, slots=True)
class Visit:
    """What is visited, and what is known from the last time.

    :param hrefs: the chosen calendars of a CalDAV account; empty for an iCalendar address.
    :param etag: what the server said to recognise an unchanged calendar; "" asks for everything.
    :param digest: of the texts of the last reading; "" takes everything as new.
    """

    access: Access
    allowed: tuple[str, ...]
    start: datetime
    end: datetime
    hrefs: tuple[str, ...] = ()
    etag: str = field(default="", repr=False)
    digest: str = ""
    seconds: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found: ``texts`` is None when nothing has changed since the last time."""

    texts: list[str] | None = field(repr=False)
    etag: str = ""
    digest: str = ""


def read(visit: Visit) -> Seen:
    """Go there and back.

    :raises Trouble: when it could not be read.
    """
    return asyncio.run(_caldav(visit) if visit.hrefs else _ical(visit))


def discover(access: Access, allowed: Sequence[str], seconds: float = PATIENCE) -> list[Collection]:
    """The calendars of a CalDAV account (see :func:`helpouts.calendars.caldav.discover`).

    :raises Trouble: when there are none to be had.
    """

    async def look() -> list[Collection]:
        async with Client(access, allowed, seconds) as client:
            return await caldav.discover(client, access.url)

    return asyncio.run(look())


async def _ical(visit: Visit) -> Seen:
    headers = {"Accept": "text/calendar, */*;q=0.1"}
    if visit.etag:
        headers["If-None-Match"] = visit.etag
    async with Client(visit.access, visit.allowed, visit.seconds) as client:
        answer = await client.request("GET", visit.access.url, headers=headers)
    if answer.status in (401, 403):
        # Without a user the server cannot mean a password: the address itself is what has expired.
        raise Trouble("auth" if visit.access.user else "status", answer.status)
    caldav.check(answer)
    if answer.status == 304:
        if not visit.etag:
            raise Trouble("status", 304)
        return Seen(None, visit.etag, visit.digest)
    return _seen([answer.text], answer.etag, visit)


async def _caldav(visit: Visit) -> Seen:
    async with Client(visit.access, visit.allowed, visit.seconds) as client:
        for href in visit.hrefs:
            client.trust(href)
        state = await caldav.state(client, visit.hrefs)
        etag = hashlib.sha256(state.encode()).hexdigest() if state else ""
        if etag and etag == visit.etag:
            return Seen(None, etag, visit.digest)
        texts: list[str] = []
        for href in visit.hrefs:
            texts += await caldav.events(client, href, visit.start, visit.end)
            if sum(map(len, texts)) > 2 * 10 * 1024 * 1024:
                raise Trouble("too_big")
    return _seen(texts, etag, visit)


def _seen(texts: list[str], etag: str, visit: Visit) -> Seen:
    digest = hashlib.sha256("\0".join(texts).encode(errors="replace")).hexdigest()
    return Seen(None if digest == visit.digest else texts, etag, digest)
