"""Telling somebody something: promised in the transaction of the change, one job for each channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.clock import clock
from helpouts.i18n import use_locale
from helpouts.jobs.models import Job
from helpouts.jobs.service import enqueue, handler
from helpouts.notices.channel import Notice, NotificationChannel
from helpouts.notices.choices import wants
from helpouts.notices.kinds import kind_named
from helpouts.runtime import Runtime, runtime_of

#: How long a notice is of use when nobody says otherwise.
URGENT_LASTS = timedelta(seconds=60)
LASTS = timedelta(hours=24)
TITLE, BODY = 120, 500
log = structlog.get_logger("helpouts.notices")


def notify(
    db: Session,
    user_id: int,
    kind: str,
    title: object,
    body: object,
    url: str,
    *,
    urgent: bool = False,
    expires_at: datetime | None = None,
    through: str | None = None,
) -> list[Job]:
    """Promise a notice to somebody through every enabled channel that reaches them and that they want it through.

    Mail is not among the channels: mails have texts of their own (:func:`helpouts.mail.service.queue_mail`; ask
    :func:`helpouts.notices.choices.wants` first).

    :param kind: one of :data:`helpouts.notices.kinds.KINDS`.
    :param title: one line; lazily translated texts are rendered in the receiver's language and zone, now.
    :param body: a sentence or two, likewise.
    :param url: path on this site, or an absolute address of it.
    :param urgent: somebody waits at this moment; such a notice is dropped after a minute.
    :param expires_at: from when on it is of no use; by default after a day.
    :param through: only through the channel of this name.
    :returns: the promised jobs, one for each channel; none where there is no way to reach the person.
    :raises LookupError: when there is no such kind.
    """
    kind_named(kind)
    user = db.get(User, user_id)
    if user is None or not user.active:
        return []
    config = runtime_of(db).config
    with use_locale(user.locale, user.zone or "UTC"):
        texts = {"title": _line(title, TITLE), "body": _line(body, BODY), "locale": user.locale}
    until = expires_at or clock.now() + (URGENT_LASTS if urgent else LASTS)
    notice = {
        **texts,
        "kind": kind,
        "url": config.public_url.rstrip("/") + url if url.startswith("/") else url,
        "urgent": urgent,
        "expires_at": until.isoformat(),
    }
    registry = runtime_of(db).registry
    promised = []
    for name, channel in registry.notification_channels(db).items():
        if (
            through not in (None, name)
            or (channel.urgent_only and not urgent)
            or not wants(db, user_id, kind, name)
            or not _reaches(db, channel, user_id)
        ):
            continue
        payload = {
            "plugin": registry.plugin_of("helpouts_notification_channels", name),
            "channel": name,
            "user": user_id,
            "notice": notice,
        }
        promised.append(enqueue(db, "notice.send", payload, max_attempts=4 if urgent else 8))
    return promised


def reachable(db: Session, user_id: int) -> list[str]:
    """Names of the enabled channels through which somebody can be reached at this moment."""
    channels = runtime_of(db).registry.notification_channels(db)
    return [name for name, channel in channels.items() if _reaches(db, channel, user_id)]


def _reaches(db: Session, channel: NotificationChannel, user_id: int) -> bool:
    """What the channel says; when it raises, yes: the job will meet the same fault and show it."""
    try:
        with db.begin_nested():
            return channel.reachable(db, user_id)
    except Exception:
        log.exception("a channel cannot tell whom it reaches", channel=channel.name)
        return True


def _line(text: object, most: int) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


@handler("notice.send", outside=True)
def send(runtime: Runtime, job_id: int, payload: Mapping[str, Any]) -> Callable[[Session], None] | None:
    """Hand one notice to one channel, unless it has become useless, unwanted or impossible meanwhile."""
    values = payload["notice"]
    expires_at = datetime.fromisoformat(values["expires_at"])
    user_id, name = payload["user"], payload["channel"]
    with runtime.database.read() as db:
        channel = runtime.registry.notification_channels(db).get(name)
        if channel is None or clock.now() >= expires_at or not wants(db, user_id, values["kind"], name):
            return None
        if not channel.reachable(db, user_id):
            return None
    notice = Notice(**{**values, "expires_at": expires_at, "key": f"notice-{job_id}"})
    return channel.send(runtime, user_id, notice)
