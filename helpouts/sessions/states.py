"""The life of a session's room."""

from __future__ import annotations

from helpouts.states import Machine, change

SESSION = Machine(
    "session",
    "scheduled",
    (
        #      event    from              to       who
        change("open", "scheduled", "open", "system"),
        change("end", "open scheduled", "ended", "system customer expert operator"),
    ),
)

#: Somebody reports the other person of a session; an operator looks at it.
REPORT = Machine("session_report", "open", (change("resolve", "open", "resolved", "operator"),))

#: One of the two asks an operator into the room.
SUPPORT = Machine(
    "support_request",
    "open",
    (
        #      event       from          to           who
        change("take", "open", "taken", "operator"),
        change("withdraw", "open", "withdrawn", "customer expert"),
        change("dismiss", "taken", "closed", "customer expert"),
        change("leave", "taken", "closed", "operator"),
        change("close", "open taken", "closed", "system"),
    ),
)

RECORDING = Machine(
    "recording",
    "running",
    (
        #      event      from                             to           who
        change("stop", "running", "preparing", "system customer expert operator"),
        change("finish", "preparing", "ready", "system"),
        change("fail", "preparing", "failed", "system"),
        change("retry", "failed", "preparing", "operator"),
        change("delete", "running preparing ready failed", "deleted", "system customer expert operator"),
    ),
)
