"""A call between two: which grants are out, which legs are there, and what each side says it sends."""

from __future__ import annotations

from dataclasses import dataclass, field

from helpouts_video_aiortc.agreement import agree
from helpouts_video_aiortc.leg import Leg

SEATS = 2


@dataclass(slots=True)
class Room:
    """The legs of one call, by participant.  A participant who comes back takes the place of the earlier leg."""

    id: str
    legs: dict[str, Leg] = field(default_factory=dict)
    sending: dict[str, list[str]] = field(default_factory=dict)
    """The kinds that each participant says it is showing; told to the other side, so that a page need not guess."""
    loop: bool = False
    """No call but a check of somebody's network: the one leg gets back what it sends."""

    @property
    def ready(self) -> bool:
        """Whether both connections stand, with codecs that suit both."""
        return len(self.legs) == SEATS and all(leg.connected and leg.settled for leg in self.legs.values())

    def other(self, participant: str) -> Leg | None:
        """The leg of whoever is not ``participant``."""
        return next((leg for name, leg in self.legs.items() if name != participant), None)

    def agree(self) -> list[Leg]:
        """Settle on codecs; returns the legs that need another round for it."""
        legs = list(self.legs.values())
        if len(legs) < SEATS or not all(leg.answered for leg in legs):
            return []
        wanted = agree(legs[0].codecs, legs[1].codecs) if all(leg.settled for leg in legs) else None
        if wanted is not None:
            for leg in legs:
                leg.wanted = wanted
        return [leg for leg in legs if not leg.settled]

    def seat(self, leg: Leg) -> Leg | None:
        """Take in a leg and pair it; returns the one that it replaces, which the caller closes."""
        earlier = self.legs.pop(leg.participant, None)
        self.legs[leg.participant] = leg
        self._pair()
        return earlier

    def unseat(self, leg: Leg) -> bool:
        """Take out a leg; false when it had been replaced before."""
        if self.legs.get(leg.participant) is not leg:
            return False
        del self.legs[leg.participant]
        leg.join(None)
        self._pair()
        return True

    def _pair(self) -> None:
        for leg in self.legs.values():
            leg.join(leg if self.loop else self.other(leg.participant))
