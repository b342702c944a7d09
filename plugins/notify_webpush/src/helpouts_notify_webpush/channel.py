"""Handing a notice to every browser of a person."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.notices import Notice
from helpouts.plugins.service import read_settings
from helpouts.runtime import Runtime
from helpouts_notify_webpush import keys
from helpouts_notify_webpush.delivery import post
from helpouts_notify_webpush.encoding import to_bytes, to_text
from helpouts_notify_webpush.encryption import encrypt
from helpouts_notify_webpush.models import Subscription
from helpouts_notify_webpush.service import PLUGIN

#: Answers that say that the subscription is over (RFC 8030, section 7.3).
GONE = frozenset({404, 410})
#: After so many seconds the rest of the browsers waits for the next attempt: a job's lease lasts a minute.
ENOUGH = 25.0


class PushFailed(HelpoutsError):
    """Some push service has not taken the message; it is tried again."""


def send(runtime: Runtime, user_id: int, notice: Notice) -> Callable[[Session], None] | None:
    """Send to all browsers that have not had this notice yet; forget those that are gone.

    :raises PushFailed: when one of them failed; what the others got is remembered.
    """
    with runtime.database.read() as db:
        mine = select(Subscription).where(Subscription.user_id == user_id, Subscription.last_key != notice.key)
        waiting = [(row.id, row.endpoint, row.p256dh, row.auth) for row in db.scalars(mine)]
        key = keys.ensure(db)
        allow_local = read_settings(db, PLUGIN)["allow_local"]
    message = payload(notice)
    done: set[int] = set()
    gone: set[int] = set()
    troubles: list[str] = []
    began = time.monotonic()
    for number, endpoint, p256dh, auth in waiting:
        if time.monotonic() - began > ENOUGH:
            troubles.append("not all browsers were reached in time")
            break
        try:
            body = encrypt(message, to_bytes(p256dh), to_bytes(auth))
            headers = {**headers_of(notice), "Authorization": keys.authorization(key, endpoint, runtime.config)}
            status = post(endpoint, headers, body, allow_local=allow_local)
        except HelpoutsError:
            gone.add(number)  # an address that is not allowed (any more)
            continue
        except OSError as error:
            troubles.append(f"{type(error).__name__}: {error}")
            continue
        if status in GONE:
            gone.add(number)
        elif 200 <= status < 300:
            done.add(number)
        else:
            troubles.append(f"a push service answered {status}")
    if not troubles:
        return lambda db: _note(db, notice.key, done, gone)
    with runtime.database.write() as db:
        _note(db, notice.key, done, gone)
    raise PushFailed("; ".join(troubles))


def _note(db: Session, key: str, done: Collection[int], gone: Collection[int]) -> None:
    db.execute(delete(Subscription).where(Subscription.id.in_(gone)))
    sent = {"last_key": key, "last_sent_at": clock.now()}
    db.execute(update(Subscription).where(Subscription.id.in_(done)).values(sent))


def topic(notice: Notice) -> str:
    """The same for notices of which only the newest matters, those of one kind about one page (RFC 8030, 5.4)."""
    return to_text(hashlib.sha256(f"{notice.kind} {notice.url}".encode()).digest()[:24])


def headers_of(notice: Notice) -> dict[str, str]:
    """How long the push service shall keep the message, and whether it may wake a sleeping telephone (section 5)."""
    return {
        "TTL": str(max(0, int((notice.expires_at - clock.now()).total_seconds()))),
        "Urgency": "high" if notice.urgent else "normal",
        "Topic": topic(notice),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
    }


def payload(notice: Notice) -> bytes:
    """What the service worker gets (``static/worker.js``)."""
    content = {
        "title": notice.title,
        "body": notice.body,
        "url": notice.url,
        "tag": topic(notice),
        "urgent": notice.urgent,
        "lang": notice.locale,
    }
    return json.dumps(content, ensure_ascii=False).encode()
