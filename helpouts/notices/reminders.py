"""Reminders of sessions: by mail and through every channel, as long before as each person wants.

Nothing is promised when a session is booked.  Every minute a job looks which bookings, *as they are now*, are so many
minutes away from their start for somebody who wants to be reminded then.  So a booking that was moved is reminded of
at its new time, one that was cancelled is not, and a changed wish counts for bookings that were made before it.  What
was dealt with is a row of :class:`ReminderMark`, written in the transaction that promises the mail: a worker that is
killed has done both or neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from babel import dates
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpouts import site
from helpouts.bookings.models import Booking
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.formatting import zone_name
from helpouts.i18n import babel_locale, gettext, use_locale
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import enqueue, handler
from helpouts.mail.service import queue_mail
from helpouts.notices.choices import wants
from helpouts.notices.models import ReminderChoice, ReminderMark
from helpouts.notices.service import notify
from helpouts.notices.when import day_and_time

#: What people and operators choose from, in minutes before the start.
LEADS = (10, 30, 60, 120, 180, 720, 1440, 2880, 10080)
#: A reminder that could not be sent in time (no worker was running) is still sent so long after.
LATE = timedelta(hours=6)
#: Who has booked or moved a session less than so long before the reminder knows without it.
FRESH = timedelta(minutes=10)
#: Bookings that one run of the job deals with; the rest is done by a run right after it.
BATCH = 100


def leads_of(db: Session, user_id: int) -> tuple[int, ...]:
    """How many minutes before a session somebody wants to be reminded, the most first."""
    own = db.scalars(select(ReminderChoice.minutes).where(ReminderChoice.user_id == user_id)).all()
    return tuple(sorted((minutes for minutes in own or default_leads(db) if minutes), reverse=True))


def default_leads(db: Session) -> tuple[int, ...]:
    """What the site does for people who have said nothing (site setting ``reminder_minutes``)."""
    return tuple(site.get(db, "reminder_minutes"))


def choose_leads(db: Session, user_id: int, leads: Iterable[int]) -> None:
    """Keep when somebody wants to be reminded; none of them is never.

    :raises HelpoutsError: for a time that is not among :data:`LEADS`.
    """
    wanted = set(leads)
    if not wanted <= set(LEADS):
        raise HelpoutsError(_l("Choose times from the list."), field="leads")
    kept = {row.minutes: row for row in db.scalars(select(ReminderChoice).where(ReminderChoice.user_id == user_id))}
    if not kept and wanted == set(default_leads(db)):
        return  # goes on following the site
    for minutes in kept.keys() - (wanted or {0}):
        db.delete(kept[minutes])
    db.add_all(ReminderChoice(user_id=user_id, minutes=minutes) for minutes in (wanted or {0}) - kept.keys())
    db.flush()


@handler("notices.remind", every_seconds=60)
def remind(db: Session, _payload: Mapping[str, Any]) -> None:
    """Remind everybody whose time has come."""
    now = clock.now()
    defaults = default_leads(db)
    left = BATCH
    for minutes in LEADS:  # the nearest first: who gets "in 10 minutes" now has no use for "in 1 hour"
        for side in (Booking.customer_id, Booking.host_id):
            due = _due(db, side, minutes, now, minutes in defaults, left)
            for booking in due:
                _deal_with(db, booking, getattr(booking, side.key), minutes, now)
            left -= len(due)
            if left <= 0:
                enqueue(db, "notices.remind")
                return


def _due(
    db: Session, side: InstrumentedAttribute[int], minutes: int, now: datetime, by_default: bool, most: int
) -> list[Booking]:
    """Bookings of which this side is to be reminded now, and was not dealt with.

    They are locked, so that none is cancelled or moved in this moment; one that somebody else has locked comes next
    time.
    """
    lead = timedelta(minutes=minutes)
    dealt_with = select(ReminderMark.booking_id).where(
        ReminderMark.booking_id == Booking.id,
        ReminderMark.user_id == side,
        ReminderMark.minutes == minutes,
        ReminderMark.starts_at == Booking.starts_at,
    )
    own = select(ReminderChoice.user_id).where(ReminderChoice.user_id == side)
    wanted = own.where(ReminderChoice.minutes == minutes).exists()
    return list(
        db.scalars(
            select(Booking)
            .where(
                Booking.state == "confirmed",
                Booking.starts_at > max(now, now + lead - LATE),
                Booking.starts_at <= now + lead,
                ~dealt_with.exists(),
                wanted | ~own.exists() if by_default else wanted,
            )
            .order_by(Booking.starts_at, Booking.id)
            .limit(most)
            .with_for_update(of=Booking, skip_locked=True)
        ).unique()
    )


def _deal_with(db: Session, booking: Booking, user_id: int, minutes: int, now: datetime) -> None:
    at = booking.starts_at - timedelta(minutes=minutes)
    made_at = booking.confirmed_at or booking.created_at
    nearer = any(booking.starts_at - timedelta(minutes=lead) <= now for lead in leads_of(db, user_id) if lead < minutes)
    needed = not nearer and made_at <= at - FRESH
    mark = ReminderMark(
        booking_id=booking.id, user_id=user_id, minutes=minutes, starts_at=booking.starts_at, sent=needed
    )
    db.add(mark)
    db.flush()
    if needed:
        send_reminder(db, booking, user_id)


def send_reminder(db: Session, booking: Booking, user_id: int) -> None:
    """Promise the mail (if it is wanted) and the notices to one of the two people."""
    is_host = user_id == booking.host_id
    me, other = (booking.host, booking.customer) if is_host else (booking.customer, booking.host)
    zone = me.zone or (booking.host_zone if is_host else booking.customer_zone)
    begins_in = booking.starts_at - clock.now()
    with use_locale(me.locale, zone):
        when = day_and_time(booking.starts_at, me.locale, zone)
        soon = dates.format_timedelta(begins_in, threshold=1.2, add_direction=True, locale=babel_locale())
        body = gettext("With %(other)s, %(soon)s: %(when)s.", other=other.name, soon=soon, when=when)
        zone_in_words = zone_name(booking.starts_at)
    if wants(db, user_id, "reminder"):
        queue_mail(
            db,
            me.email,
            "booking_reminder",
            me.locale,
            zone,
            expires_at=booking.starts_at,
            booking=booking,
            me=me,
            other=other,
            when=when,
            soon=soon,
            zone_in_words=zone_in_words,
        )
    notify(db, user_id, "reminder", booking.title, body, f"/bookings/{booking.public_id}", expires_at=booking.starts_at)
