"""What a cancellation costs: data that is shown before paying and applied without anybody asking.

| policy   | free until        | after that                                           |
|----------|-------------------|------------------------------------------------------|
| flexible | 1 hour before     | 50 % of the fixed price, or 5 times the minute rate  |
| moderate | 24 hours before   | the same                                             |
| strict   | 7 days before     | the same; the whole price in the last 24 hours       |

A cancellation by the expert or the site never costs anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from helpouts.i18n import gettext as _

FREE_UNTIL = {"flexible": timedelta(hours=1), "moderate": timedelta(hours=24), "strict": timedelta(days=7)}
#: Minutes charged for a late cancellation of a session that is priced per minute.
LATE_MINUTES = 5


def cancellation_charge(
    policy: str, pricing: str, price_minor: int, amount_minor: int, starts_at: datetime, now: datetime
) -> int:
    """What the customer owes who cancels at ``now``, minor units; never more than ``amount_minor`` (the hold)."""
    if pricing == "free" or now <= starts_at - FREE_UNTIL[policy]:
        return 0
    if policy == "strict" and now > starts_at - timedelta(hours=24):
        return amount_minor
    late = price_minor * LATE_MINUTES if pricing == "per_minute" else (amount_minor + 1) // 2
    return min(late, amount_minor)


def policy_text(policy: str, pricing: str) -> str:
    """The policy in one sentence, for the listing and the checkout."""
    if pricing == "free":
        return _("You can cancel at any time; please do, so that somebody else can have the time.")
    late = _("5 times the minute rate") if pricing == "per_minute" else _("half of the price")
    texts: dict[str, Any] = {
        "flexible": _("Free cancellation until 1 hour before; after that %(late)s.", late=late),
        "moderate": _("Free cancellation until 24 hours before; after that %(late)s.", late=late),
        "strict": _(
            "Free cancellation until 7 days before; after that %(late)s, in the last 24 hours the whole price.",
            late=late,
        ),
    }
    return str(texts[policy])


def free_until(policy: str, pricing: str, starts_at: datetime) -> datetime:
    """Until when the customer may cancel or move the session as they like; a free one until it begins."""
    return starts_at if pricing == "free" else starts_at - FREE_UNTIL[policy]
