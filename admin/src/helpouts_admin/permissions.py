"""Who may see and do what in the console: the one table.

"admin" may do everything that the others may (:func:`helpouts.web.permissions.permitted`), so it is named only
where nobody else may.
"""

from __future__ import annotations

from helpouts.web.permissions import Level

Levels = tuple[Level, ...]

#: Endpoint of a page to the roles that may open it.  A page that is not here cannot be mounted.
VIEWS: dict[str, Levels] = {
    "console": ("support", "curator", "finance"),
    "console_applications": ("curator", "support"),
    "console_invitations": ("curator",),
    "console_experts": ("curator", "support"),
    "console_listings": ("curator", "support"),
    "console_bookings": ("support", "finance"),
    "console_rooms": ("support",),
    "console_calls": ("support",),
    "console_payments": ("finance", "support"),
    "console_refunds": ("finance", "support"),
    "console_payouts": ("finance",),
    "console_packages": ("finance", "support"),
    "console_ledger": ("finance",),
    "console_coupons": ("finance", "support"),
    "console_requests": ("support", "curator"),
    "console_reviews": ("support", "curator"),
    "console_reports": ("support", "curator"),
    "console_plugins": ("admin",),
    "console_site": ("admin",),
    "console_users": ("support",),
    "console_jobs": ("support",),
    "console_mails": ("support",),
    "console_audit": ("admin",),
    "console_health": ("support",),
    #: pages of plugins; each record names its own permission on top of this
    "console_more": ("support", "curator", "finance"),
}

#: (endpoint, action) to the roles that may do it; an action that is not here is refused to everybody.
ACTIONS: dict[tuple[str, str], Levels] = {
    ("console_applications", "contact"): ("curator", "support"),
    ("console_applications", "invite"): ("curator",),
    ("console_applications", "decline"): ("curator",),
    ("console_invitations", "issue"): ("curator",),
    ("console_invitations", "revoke"): ("curator",),
    ("console_experts", "suspend"): ("curator",),
    ("console_experts", "reinstate"): ("curator",),
    ("console_listings", "approve"): ("curator",),
    ("console_listings", "decline"): ("curator",),
    ("console_listings", "suspend"): ("curator",),
    ("console_listings", "reinstate"): ("curator",),
    ("console_bookings", "export"): ("finance",),
    ("console_payments", "export"): ("finance",),
    ("console_bookings", "cancel"): ("support",),
    ("console_bookings", "move"): ("support",),
    ("console_bookings", "place"): ("support",),
    ("console_rooms", "end"): ("support",),
    ("console_calls", "take"): ("support",),
    ("console_rooms", "film"): ("support",),
    ("console_payments", "refund"): ("finance",),
    ("console_payouts", "pay"): ("finance",),
    ("console_payouts", "fail"): ("finance",),
    ("console_payouts", "export"): ("finance",),
    ("console_coupons", "stop"): ("finance",),
    ("console_coupons", "allow"): ("finance",),
    ("console_refunds", "decide"): ("finance",),
    ("console_requests", "remove"): ("support", "curator"),
    ("console_reports", "resolve"): ("support",),
    ("console_reviews", "hide"): ("support", "curator"),
    ("console_reviews", "show"): ("support", "curator"),
    ("console_users", "grant"): ("admin",),
    ("console_users", "revoke"): ("admin",),
    ("console_users", "sign_out"): ("support",),
    ("console_users", "lock"): ("admin",),
    ("console_users", "unlock"): ("admin",),
    ("console_jobs", "retry"): ("support",),
    ("console_mails", "retry"): ("support",),
    ("console_audit", "export"): ("admin",),
    ("console_health", "drain"): ("admin",),
}


def may_open(endpoint: str) -> Levels:
    """The roles that may open a page.

    :raises KeyError: for a page that is not in the table: add it there.
    """
    return VIEWS[endpoint]


def may_do(endpoint: str, action: str) -> Levels:
    """The roles that may do an action; nobody (an empty tuple) when it is not in the table."""
    return ACTIONS.get((endpoint, action), ())
