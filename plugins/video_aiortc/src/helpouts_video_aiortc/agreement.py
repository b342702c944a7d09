"""Which codecs the two sides of a call may send, so that each can show what the other sends; pure.

Nothing is converted here, so what a browser sends must be something that the other side has accepted.  A browser sends
the first codec that it accepted, or (Chromium with codec preferences) the first of the offer although it did not.
Where either would not be shown, both are offered less.
"""

from __future__ import annotations

from dataclasses import dataclass

from helpouts_video_aiortc.slots import SLOTS, Slot

ALL = frozenset(codec.payload for slot in SLOTS for codec in slot.codecs)
Payloads = frozenset[int]


@dataclass(frozen=True, slots=True)
class Side:
    """What a browser has accepted of the whole offer, and of the one in force, and what was in that."""

    able: Payloads
    accepted: Payloads
    offered: Payloads = ALL


def agree(one: Side, other: Side) -> Payloads | None:
    """The payload types that both are to be offered, None when all is well as it is.

    A slot for which they have nothing in common is left alone: there is no picture to be had, and the rest goes on.
    """
    if not any(_lost(slot, here, there) for slot in SLOTS for here, there in ((one, other), (other, one))):
        return None
    wanted: set[int] = set()
    for slot in SLOTS:
        offered = {codec.payload for codec in slot.codecs}
        wanted |= (one.able & other.able & offered) or offered
    return frozenset(wanted)


def _lost(slot: Slot, here: Side, there: Side) -> bool:
    """Whether what ``here`` may send in a slot is not shown by ``there``, although something would be."""
    if not _ranked(slot, here.able & there.able):
        return False
    sent = {*_ranked(slot, here.accepted)[:1], *_ranked(slot, here.offered)[:1]}
    return not sent <= there.accepted


def _ranked(slot: Slot, payloads: Payloads) -> list[int]:
    return [codec.payload for codec in slot.codecs if codec.payload in payloads]
