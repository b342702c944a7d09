"""Free times as JSON: small, and not sent again while nothing has changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from flask import Response, request

from helpouts import __version__
from helpouts.i18n import current_locale, ngettext
from helpouts.scheduling.display import day_of, split_by_day


def as_json(starts: Sequence[int], zone: str, next_from: datetime, *, summaries: bool = False) -> Response:
    """Days with the free times that begin at ``starts`` (epoch minutes, ascending), as clocks in ``zone`` show them.

    An answer is known again by what it is made of (RFC 9110, section 8.8.3), so that nothing has to be worded for
    the answer 304.

    :param next_from: from which instant on to ask for more.
    :param summaries: with a sentence for each day, as the slot picker says it.
    """
    made_of = repr((__version__, current_locale(), zone, next_from, summaries, starts))
    tag = blake2b(made_of.encode(), digest_size=12).hexdigest()
    if request.if_none_match.contains_weak(tag):
        answer = Response(status=304)
    else:
        answer = Response(_text(starts, zone, next_from, summaries), content_type="application/json")
        if request.accept_encodings["gzip"] > 0:  # there is nothing secret in it, and a month may take 160 kB
            answer.set_data(_compressed(answer.get_data()))
            answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(tag, weak=True)
    answer.headers["Vary"] = "Accept, Accept-Encoding, Accept-Language, Cookie"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _text(starts: Sequence[int], zone: str, next_from: datetime, summaries: bool) -> str:
    locale = current_locale()
    days = (
        _day(locale, zone, ordinal, tuple(of_day), summaries) for ordinal, of_day in split_by_day(starts, zone).items()
    )
    return f'{{"days":[{",".join(days)}],"zone":{json.dumps(zone)},"next":"{next_from.isoformat()}"}}'


@lru_cache(maxsize=128)
def _compressed(text: bytes) -> bytes:
    return gzip.compress(text, compresslevel=1, mtime=0)


@lru_cache(maxsize=4096)
def _day(_locale: str, zone: str, ordinal: int, starts: tuple[int, ...], summaries: bool) -> str:
    """A day's part of the answer; it stays the same until somebody books, while times are asked for again and again."""
    day = day_of(ordinal, starts, zone)
    part = {
        "date": day.date.isoformat(),
        "label": day.label,
        "slots": [{"value": value, "label": label} for value, label, _disabled in day.slots],
        **({"summary": day_summary(day.label, len(starts))} if summaries else {}),
    }
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"))


def day_summary(label: str, free: int) -> str:
    """Such as "12 free times on Tuesday, 24 November", the same words as in ``helpouts/_slots.html``."""
    return ngettext("%(n)s free time on %(day)s", "%(n)s free times on %(day)s", free, day=label)
