"""The contract of a vetting rule: judges an application, a listing or (periodically) an expert."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy.orm import Session

Outcome = Literal["pass", "fail", "person"]
SubjectType = Literal["application", "listing", "expert"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of a rule.

    :param outcome: "pass", "fail" (the applicant must change something) or "person" (an operator must look).
    :param reasons: translatable sentences that the applicant can read and act on.
    :param evidence: JSON for the operator only.
    """

    outcome: Outcome
    reasons: Sequence[object] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VettingRule:
    """The record a plugin returns from ``helpouts_vetting_rules``.

    :param judge: ``judge(db, subject_type, subject) -> Finding``; reads only, must not write.  An exception
        counts as "person": a broken rule never lets anything through, and never blocks it for good.
    """

    name: str
    title: object
    summary: object
    judges: Sequence[SubjectType]
    judge: Callable[[Session, SubjectType, Any], Finding]
