"""State machines as tables.

A machine is a tuple of :class:`Change` rows: from which states, on which event, by whom, to which state.
:meth:`Machine.apply` is the only code in the product that assigns a ``state``, and it records every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.models import Transition
from helpouts.clock import clock
from helpouts.db.inserts import Inserted
from helpouts.db.later import later
from helpouts.errors import Conflict, NotAllowed
from helpouts.i18n import lazy_gettext as _l

_NOTE = Inserted(
    Transition.__table__,
    ("machine", "subject_id", "event", "source", "target", "actor_id", "actor", "reason", "created_at"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a table: on ``event``, ``sources`` become ``target``, when one of ``who`` does it.

    :param who: kinds of actor: "customer", "expert", "operator", "system", "visitor".
    """

    event: str
    sources: frozenset[str]
    target: str
    who: frozenset[str]


def change(event: str, sources: str, target: str, who: str) -> Change:
    """A row in short form; ``sources`` and ``who`` are separated by spaces."""
    return Change(event, frozenset(sources.split()), target, frozenset(who.split()))


class Machine:
    """The life of one kind of thing.

    :param name: the kind, e.g. "booking"; names the rows in the table of transitions.
    :param initial: the state in which one usually begins.
    :param others: further states in which one may begin, separated by spaces.
    """

    def __init__(self, name: str, initial: str, changes: Sequence[Change], others: str = "") -> None:
        self.name = name
        self.initial = initial
        self.beginnings = frozenset({initial, *others.split()})
        self.changes = tuple(changes)
        self.states = frozenset(self.beginnings | {c.target for c in changes} | {s for c in changes for s in c.sources})

    def find(self, state: str, event: str) -> Change | None:
        """The row for this event in this state, if there is one."""
        return next((c for c in self.changes if c.event == event and state in c.sources), None)

    def allows(self, state: str, event: str, actor: Actor) -> bool:
        """Whether the actor may do this now."""
        row = self.find(state, event)
        return row is not None and actor.kind in row.who

    def step(self, state: str, event: str, actor: Actor) -> Change:
        """The row that takes ``state`` on, for code that writes the new state and :meth:`note` itself.

        :raises Conflict: when the event does not fit the present state.
        :raises NotAllowed: when this kind of actor may not do it.
        """
        row = self.find(state, event)
        if row is None:
            raise Conflict(_l("This cannot be done any more: something has changed meanwhile. Reload the page."))
        if actor.kind not in row.who:
            raise NotAllowed(_l("You may not do this."))
        return row

    def apply(self, db: Session, subject: Any, event: str, actor: Actor, reason: str = "") -> None:
        """Move ``subject.state`` and record the step.

        :raises Conflict: when the event does not fit the present state.
        :raises NotAllowed: when this kind of actor may not do it.
        """
        row = self.step(subject.state, event, actor)
        source, subject.state = subject.state, row.target
        if subject.id is None:
            db.add(subject)
            db.flush()
        self.note(db, subject.id, row, source, actor, reason)

    def note(self, db: Session, subject_id: int, row: Change, source: str, actor: Actor, reason: str = "") -> None:
        """Record a step of the subject with this id."""
        values = {
            "machine": self.name,
            "subject_id": subject_id,
            "event": row.event,
            "source": source,
            "target": row.target,
            "actor_id": actor.user_id,
            "actor": actor.label,
            "reason": reason,
            "created_at": clock.now(),
        }
        later(db, _NOTE, values)
