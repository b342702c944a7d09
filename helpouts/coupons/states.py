"""The life of a coupon.  What an operator has stopped, only an operator allows again."""

from __future__ import annotations

from helpouts.states import Machine, change

COUPON = Machine(
    "coupon",
    "active",
    (
        change("pause", "active", "paused", "expert"),
        change("resume", "paused", "active", "expert"),
        change("stop", "active paused", "stopped", "operator"),
        change("allow", "stopped", "active", "operator"),
    ),
)
