"""What an applicant sees of the past, and of what the rules have said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from helpouts import formatting
from helpouts.audit.models import Transition
from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting.judging import latest_verdicts
from helpouts.vetting.models import Application

#: Event: (what the applicant reads, tone of the mark).
_WORDS = {
    "contact": (_l("We wrote to you"), "neutral"),
    "invite": (_l("You are invited"), "success"),
    "decline": (_l("We cannot invite you"), "danger"),
    "appeal": (_l("You asked a second person to look"), "warning"),
    "join": (_l("You have joined as an expert"), "success"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline."""

    when: str
    title: str
    text: str = ""
    tone: str = "neutral"


def history(steps: Iterable[Transition], application: Application) -> list[Step]:
    """The application's life so far, the oldest first, in the language and zone in force."""
    lines = [Step(formatting.day_time(application.created_at), str(_l("We received your application")))]
    for step in steps:
        title, tone = _WORDS[step.event]
        shown = step.reason if step.event in ("invite", "decline") else ""
        lines.append(Step(formatting.day_time(step.created_at), str(title), shown, tone))
    return lines


def advice_of(db: Session, application: Application) -> list[str]:
    """What the rules ask the applicant to change or to know while nothing is decided."""
    if application.state not in ("received", "contacted", "appealed"):
        return []
    verdicts = latest_verdicts(db, "application", application.id)
    return list(dict.fromkeys(reason for v in verdicts if v.outcome != "pass" for reason in v.reasons))
