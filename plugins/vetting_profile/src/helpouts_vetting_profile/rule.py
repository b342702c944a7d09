"""The rule itself: collects what is wrong, and how bad it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from helpouts.plugins.service import read_settings
from helpouts.vetting import Finding
from helpouts.vetting.rule import Outcome, SubjectType
from helpouts_vetting_profile.applications import check_application
from helpouts_vetting_profile.listings import check_listing
from helpouts_vetting_profile.notes import Notes
from helpouts_vetting_profile.settings import PLUGIN

_CHECKS: dict[str, Callable[[Session, Any, dict[str, Any], Notes], None]] = {
    "application": check_application,
    "listing": check_listing,
}


def judge(db: Session, subject_type: SubjectType, subject: Any) -> Finding:
    """Judge an application or a listing; anything else passes, since this rule has nothing to say of it."""
    check = _CHECKS.get(subject_type)
    if check is None:
        return Finding("pass")
    notes = Notes()
    with db.no_autoflush:
        check(db, subject, read_settings(db, PLUGIN), notes)
    outcome: Outcome = "fail" if notes.failed else "person" if notes.doubtful else "pass"
    return Finding(outcome, tuple(notes.reasons), dict(notes.evidence))
