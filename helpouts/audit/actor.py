"""Who acts: handed to every service that changes something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["customer", "expert", "operator", "system", "visitor"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody (or the system itself) in the part that they play in this action."""

    kind: Kind
    user_id: int | None = None
    label: str = ""


SYSTEM = Actor("system", None, "system")
VISITOR = Actor("visitor", None, "visitor")
