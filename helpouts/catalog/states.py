"""The lives of a listing and of an expert, as tables.

A live listing stays live while an edit of it waits: the edit is kept in ``Listing.pending`` and the steps "revise",
"approve_edit" and "decline_edit" lead from live to live, so that they are in the record of transitions.
"""

from __future__ import annotations

from helpouts.states import Machine, change

LISTING = Machine(
    "listing",
    "draft",
    (
        change("submit", "draft declined", "in_review", "expert system"),
        change("withdraw", "in_review", "draft", "expert system"),
        change("approve", "in_review", "live", "operator system"),
        change("decline", "in_review", "declined", "operator system"),
        change("revise", "live", "live", "expert system"),
        change("approve_edit", "live", "live", "operator system"),
        change("decline_edit", "live", "live", "operator system"),
        change("suspend", "live in_review", "suspended", "operator system"),
        change("reinstate", "suspended", "live", "operator system"),
        change("retire", "draft in_review declined live suspended", "retired", "expert operator system"),
    ),
)

EXPERT = Machine(
    "expert",
    "active",
    (
        change("suspend", "active", "suspended", "operator system"),
        change("reinstate", "suspended", "active", "operator system"),
    ),
)
