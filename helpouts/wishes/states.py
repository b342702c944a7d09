"""The life of a posted request, as a table."""

from __future__ import annotations

from helpouts.states import Machine, change

#: States in which experts see a request and may answer it.
LIVE_STATES = ("open", "answered")

REQUEST = Machine(
    "help_request",
    "open",
    (
        change("answer", "open answered", "answered", "expert"),
        change("close", "open answered", "closed", "customer system"),
        change("withdraw", "open answered", "withdrawn", "customer"),
        change("expire", "open answered", "expired", "system"),
        change("remove", "open answered", "removed", "operator"),
    ),
)
