"""The life of a booking."""

from __future__ import annotations

from helpouts.states import Machine, change

BOOKING = Machine(
    "booking",
    "held",
    (
        #      event        from                    to            who
        change("confirm", "held", "confirmed", "customer expert operator system"),
        change("abandon", "held", "cancelled", "customer operator system"),
        change("lapse", "held", "expired", "customer expert operator system"),
        # "requested": help right now; it takes nobody's time until an expert accepts.
        change("accept", "requested", "confirmed", "expert"),
        change("withdraw", "requested", "cancelled", "customer operator"),
        change("give_up", "requested", "expired", "system"),
        change("cancel", "confirmed", "cancelled", "customer expert operator"),
        change("begin", "confirmed", "in_session", "system"),
        change("complete", "in_session", "completed", "system expert operator"),
        change("miss", "confirmed", "no_show", "system operator"),
    ),
    others="requested",
)

#: Another time for a confirmed booking: at once, or with the other side's consent.
MOVE = Machine(
    "booking_move",
    "proposed",
    (
        change("do", "proposed", "done", "customer expert operator"),
        change("decline", "proposed", "declined", "customer expert"),
        change("withdraw", "proposed", "withdrawn", "customer expert operator system"),
    ),
)

#: More minutes for a session that runs, with the other side's consent.
EXTENSION = Machine(
    "booking_extension",
    "proposed",
    (
        change("do", "proposed", "done", "customer expert"),
        change("decline", "proposed", "declined", "customer expert"),
        change("withdraw", "proposed", "withdrawn", "customer expert system"),
    ),
)

#: Waiting for free time of a listing.
WAITING = Machine(
    "waitlist",
    "waiting",
    (
        change("offer", "waiting", "offered", "system"),
        change("book", "waiting offered", "booked", "customer expert operator system"),
        change("miss", "offered", "waiting", "system"),
        change("leave", "waiting offered", "left", "customer operator system"),
        change("close", "waiting offered", "over", "system"),
    ),
)
