"""What a check writes down while it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Notes:
    """Reasons for the applicant, evidence for the operator."""

    failed: bool = False
    doubtful: bool = False
    reasons: list[object] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)

    def fail(self, reason: object, **evidence: Any) -> None:
        """The applicant must change something."""
        self.failed = True
        self.reasons.append(reason)
        self.evidence.update(evidence)

    def ask(self, reason: object, **evidence: Any) -> None:
        """An operator must look."""
        self.doubtful = True
        self.reasons.append(reason)
        self.evidence.update(evidence)
