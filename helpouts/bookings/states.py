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
)
