"""The one door to bookings: all that other parts of the product may do with one.

Every function works in the caller's transaction; an error leaves nothing behind once the caller rolls back.
"""

from __future__ import annotations

from helpouts.bookings.changing import cancel, charge_now
from helpouts.bookings.drafts import Draft, check_bookable, draft, find
from helpouts.bookings.lapse import expire_lapsed
from helpouts.bookings.placing import confirm, place, prepare, reserve
from helpouts.scheduling import service as scheduling

__all__ = [
    "Draft",
    "cancel",
    "charge_now",
    "check_bookable",
    "confirm",
    "draft",
    "expire_lapsed",
    "find",
    "place",
    "prepare",
    "reserve",
    "scheduling",
]
