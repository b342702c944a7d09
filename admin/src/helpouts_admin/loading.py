"""What lists load with their rows: the people who are shown, and nothing that hangs on them."""

from __future__ import annotations

from typing import Any

from helpouts.accounts.models import User
from helpouts.bookings.models import Booking


def people_of(booking: Any) -> tuple[Any, ...]:
    """Options for a query: the two people of a booking.

    :param booking: the way to it: ``joinedload(...)``, or ``Load(Booking)`` in a query for bookings.
    """
    return (
        booking.lazyload(Booking.listing),
        booking.lazyload(Booking.expert),
        booking.joinedload(Booking.host).lazyload(User.roles),
        booking.joinedload(Booking.customer).lazyload(User.roles),
    )
