"""The lives of a request for help now and of an offer that rings."""

from __future__ import annotations

from helpouts.states import Machine, change

#: "looking" lasts no longer than the transaction that asks; "waiting" is the line.
REQUEST = Machine(
    "instant_request",
    "looking",
    (
        #      event       from                      to            who
        change("ring", "looking ringing waiting", "ringing", "system"),
        change("wait", "looking ringing", "waiting", "system"),
        change("accept", "ringing", "accepted", "expert"),
        change("withdraw", "looking ringing waiting", "withdrawn", "customer operator"),
        change("fail", "looking ringing waiting", "unanswered", "system"),
        change("lapse", "looking ringing waiting", "lapsed", "system"),
    ),
)

OFFER = Machine(
    "instant_offer",
    "ringing",
    (
        change("accept", "ringing", "accepted", "expert"),
        change("decline", "ringing", "declined", "expert"),
        change("miss", "ringing", "missed", "system"),
        change("stop", "ringing", "stopped", "system customer operator expert"),
    ),
)
