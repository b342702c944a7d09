"""What can be done with applications and invitations, in one place for the site, the console, commands and tests.

Services take a session and plain values, know no web framework and never commit: the caller does.
"""

from __future__ import annotations

from helpouts.vetting.applications import (
    appeal,
    apply,
    contact,
    decline,
    invite,
    may_appeal,
    messages_of,
    reply,
    steps_of,
)
from helpouts.vetting.history import advice_of
from helpouts.vetting.invitations import check_code, issue, owned_expert, redeem, revoke
from helpouts.vetting.judging import judge, latest_verdicts

__all__ = [
    "advice_of",
    "appeal",
    "apply",
    "check_code",
    "contact",
    "decline",
    "invite",
    "issue",
    "judge",
    "latest_verdicts",
    "may_appeal",
    "messages_of",
    "owned_expert",
    "redeem",
    "reply",
    "revoke",
    "steps_of",
]
