"""Mails about a booking: to both people, each in their own language and zone, with a calendar invitation."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.bookings.intake import in_words
from helpouts.bookings.links import link
from helpouts.bookings.models import Booking, BookingExtension, BookingMove
from helpouts.calendars.invitations import calendar_file
from helpouts.i18n import use_locale
from helpouts.mail.service import queue_mail
from helpouts.payments import service as money
from helpouts.runtime import runtime_of


def _both(booking: Booking) -> list[tuple[User, User, str]]:
    """(receiver, the other one, receiver's zone) for customer and host."""
    return [
        (booking.customer, booking.host, booking.customer_zone),
        (booking.host, booking.customer, booking.host_zone),
    ]


def _send(
    db: Session, booking: Booking, template: str, whom: tuple[User, User, str], *, calendar: str = "", **values: Any
) -> None:
    """Queue a mail to one of :func:`_both`; with the calendar file of that method when there is one."""
    to, other, zone = whom
    attachments = [calendar_file(db, booking, to, calendar)] if calendar else []
    queue_mail(
        db, to.email, template, to.locale, zone, attachments=attachments, booking=booking, me=to, other=other, **values
    )


def confirmed(db: Session, booking: Booking) -> None:
    """It is booked: to both, with the invitation (RFC 5546, REQUEST)."""
    questions = runtime_of(db).registry.category(booking.category).intake
    for to, other, zone in _both(booking):
        with use_locale(to.locale):
            answers = in_words(questions, booking.intake)
        _send(
            db,
            booking,
            "booking_confirmed",
            (to, other, zone),
            calendar="REQUEST",
            is_host=to.id == booking.host_id,
            answers=answers,
            cancel_link=link(db, booking, to, "cancel"),
            move_link=link(db, booking, to, "move"),
        )


def moved(db: Session, booking: Booking, move: BookingMove, by: int | None) -> None:
    """It takes place at another time: to both, with the updated invitation (RFC 5546, REQUEST)."""
    for to, other, zone in _both(booking):
        _send(
            db,
            booking,
            "booking_moved",
            (to, other, zone),
            calendar="REQUEST",
            move=move,
            by_me=by == to.id,
            cancel_link=link(db, booking, to, "cancel"),
            move_link=link(db, booking, to, "move"),
        )


def extended(db: Session, booking: Booking, extension: BookingExtension) -> None:
    """It ends later than booked: to both, with the updated invitation (RFC 5546, REQUEST)."""
    for whom in _both(booking):
        _send(db, booking, "booking_extended", whom, calendar="REQUEST", extension=extension)


def move_proposed(db: Session, booking: Booking, move: BookingMove) -> None:
    """The other side would like another time: to the one who answers."""
    for to, other, zone in _both(booking):
        if to.id != move.asked_by:
            _send(
                db,
                booking,
                "booking_move_proposed",
                (to, other, zone),
                move=move,
                is_host=to.id == booking.host_id,
                answer_link=link(db, booking, to, "answer"),
            )


def move_declined(db: Session, booking: Booking, move: BookingMove, reason: str) -> None:
    """The other time does not suit the expert: to the customer, for whom nothing has changed."""
    to, other, zone = _both(booking)[0]
    _send(
        db,
        booking,
        "booking_move_declined",
        (to, other, zone),
        move=move,
        reason=reason,
        cancel_link=link(db, booking, to, "cancel"),
    )


def offered(db: Session, booking: Booking) -> None:
    """A slot is held for the customer, who takes it or passes."""
    to, other, zone = _both(booking)[0]
    _send(db, booking, "booking_offered", (to, other, zone), take_link=link(db, booking, to, "take"))


def cancelled(db: Session, booking: Booking, charge: int, actor: Actor) -> None:
    """It does not take place: to both, with the calendar's cancellation (RFC 5546, CANCEL)."""
    for to, other, zone in _both(booking):
        _send(
            db,
            booking,
            "booking_cancelled",
            (to, other, zone),
            calendar="CANCEL",
            charge=charge,
            by_me=actor.user_id == to.id,
        )


def finished(db: Session, booking: Booking, connected_seconds: int) -> None:
    """It is over: the receipt to the customer, the earnings to the expert."""
    for to, other, zone in _both(booking):
        with use_locale(to.locale, zone):
            receipt = money.receipt(db, booking)
        is_host = to.id == booking.host_id
        _send(
            db,
            booking,
            "session_finished",
            (to, other, zone),
            lines=receipt.earnings if is_host else receipt.lines,
            connected_seconds=connected_seconds,
            is_host=is_host,
        )
