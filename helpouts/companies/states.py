"""The life of an invitation into a company, as a table.  One that has run out stays open and is of no use."""

from __future__ import annotations

from helpouts.states import Machine, change

INVITATION = Machine(
    "member_invitation",
    "open",
    (
        change("accept", "open", "accepted", "customer expert"),
        change("decline", "open", "declined", "customer expert visitor"),
        change("revoke", "open", "revoked", "expert system"),
    ),
)
