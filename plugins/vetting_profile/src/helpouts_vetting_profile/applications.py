"""What this rule wants of an application."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from helpouts.i18n import lazy_gettext as _l
from helpouts.vetting.models import Application
from helpouts_vetting_profile.notes import Notes
from helpouts_vetting_profile.text import mailbox, words

#: States in which an earlier application still waits for an answer, or has been answered with an invitation.
OPEN = frozenset({"received", "contacted", "appealed", "invited", "joined"})


def check_application(db: Session, application: Application, settings: dict[str, Any], notes: Notes) -> None:
    """Complete, adult, and the first of this person in this category."""
    if not application.is_adult:
        notes.fail(_l("Experts must be at least 18 years old."), adult=False)
    if sum(map(len, words(application.name))) < 3:
        notes.fail(_l("Give your full name, or the name of your company."), name=application.name)
    if len(application.experience.strip()) < settings["experience_length"]:
        notes.fail(
            _l("Say more about your experience: at least %(count)s characters.", count=settings["experience_length"]),
            experience_length=len(application.experience.strip()),
        )
    _check_duplicates(db, application, notes)


def _check_duplicates(db: Session, application: Application, notes: Notes) -> None:
    local, domain = mailbox(application.email)
    mail, name = func.lower(Application.email), func.lower(Application.name)
    same_mailbox = mail.startswith(local, autoescape=True) & mail.endswith(f"@{domain}", autoescape=True)
    earlier = db.scalars(
        select(Application)
        .where(
            Application.category == application.category,
            Application.id != (application.id or 0),
            or_(same_mailbox, name == application.name.lower()),
        )
        .order_by(Application.id)
    ).all()
    by_mail = [a for a in earlier if mailbox(a.email) == (local, domain)]
    by_name = [a.id for a in earlier if a not in by_mail and words(a.name) == words(application.name)]
    waiting = [a.id for a in by_mail if a.state in OPEN]
    answered = [a.id for a in by_mail if a.state not in OPEN]
    if waiting:
        notes.fail(_l("You have applied in this field before; we answer your first application."), same_mail=waiting)
    elif answered:
        notes.ask(_l("You have applied in this field before; somebody looks at both applications."), same_mail=answered)
    if by_name:
        notes.ask(
            _l("Somebody of the same name has applied in this field; we make sure who is who."), same_name=by_name
        )
