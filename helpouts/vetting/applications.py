"""The verbs of an application: from the form that somebody fills in to the operator's decision."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import i18n, site
from helpouts.accounts.models import Role, User
from helpouts.accounts.service import clean_name, known_zone, normalize_email
from helpouts.audit.actor import VISITOR, Actor
from helpouts.audit.models import Transition
from helpouts.audit.service import record
from helpouts.catalog.category import Category
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.events import emit
from helpouts.i18n import lazy_gettext as _l
from helpouts.mail.service import queue_mail
from helpouts.runtime import runtime_of
from helpouts.vetting.invitations import make_invitation, revoke_open
from helpouts.vetting.judging import judge, latest_verdicts
from helpouts.vetting.models import Application, ApplicationMessage, Invitation
from helpouts.vetting.states import APPLICATION

KINDS = ("individual", "company")
EXPERIENCE_LENGTH = 4000
MESSAGE_LENGTH = 4000
LINK_LENGTH = 300
#: An applicant may write this many messages in a row without an answer.
UNANSWERED = 5


def apply(
    db: Session,
    *,
    name: str,
    email: str,
    kind: str,
    category: str,
    subcategory: str,
    experience: str,
    link: str,
    is_adult: bool,
    locale: str,
    zone: str,
) -> Application:
    """Somebody wants to become an expert: keep the application, let the rules judge it, confirm it by mail.

    :param link: an address that shows their work, or "".
    :param zone: IANA name; UTC is kept when it is not one.
    :raises HelpoutsError: for the first value that does not fit (``field`` names it); nothing is kept.
    """
    found = open_category(db, category)
    if kind not in KINDS:
        raise HelpoutsError(_l("Say whether you apply for yourself or for a company."), field="kind")
    if subcategory and found.subcategory(subcategory) is None:
        raise HelpoutsError(_l("Choose what you know best from the list."), field="subcategory")
    if is_adult is not True:
        raise HelpoutsError(_l("Experts must be at least 18 years old."), field="is_adult")
    application = Application(
        public_id=secrets.token_urlsafe(18),
        name=clean_name(name),
        email=normalize_email(email),
        kind=kind,
        category=found.slug,
        subcategory=subcategory,
        experience=clean_text(experience, "experience", EXPERIENCE_LENGTH),
        link=_link(link),
        is_adult=True,
        locale=locale if locale in i18n.LANGUAGES else i18n.DEFAULT_LOCALE,
        zone=known_zone(zone) or "UTC",
        due_at=clock.now() + timedelta(days=site.get(db, "application_days")),
    )
    db.add(application)
    db.flush()
    judge(db, "application", application)
    _mail(db, application, "application_received")
    return application


def contact(db: Session, application: Application, body: str, actor: Actor) -> ApplicationMessage:
    """Write to the applicant; they get a mail and can answer on their page.

    :raises HelpoutsError: for an empty or overlong text.
    :raises NotAllowed: when no person writes (an author that is not known means the applicant).
    :raises Conflict: when the application is decided.
    """
    text = clean_text(body, "body", MESSAGE_LENGTH)
    if actor.user_id is None:
        raise NotAllowed(_l("Messages are written by a person: sign in to write one."))
    APPLICATION.apply(db, application, "contact", actor)
    message = ApplicationMessage(application_id=application.id, author_id=actor.user_id, body=text)
    db.add(message)
    record(db, actor, "application.contact", application)
    _mail(db, application, "application_message", body=text)
    return message


def reply(db: Session, application: Application, body: str) -> ApplicationMessage:
    """The applicant writes back.

    :raises Conflict: once the application is decided, or when several messages wait for an answer already.
    """
    if application.state not in ("received", "contacted", "appealed"):
        raise Conflict(_l("This application is decided; nobody waits for an answer any more."))
    text = clean_text(body, "body", MESSAGE_LENGTH)
    newest = messages_of(db, application)[-UNANSWERED:]
    if len(newest) == UNANSWERED and all(message.author_id is None for message in newest):
        raise Conflict(_l("We have your messages: please wait for our answer."), field="body")
    message = ApplicationMessage(application_id=application.id, author_id=None, body=text)
    db.add(message)
    db.flush()
    return message


def invite(db: Session, application: Application, actor: Actor, note: str = "") -> tuple[Invitation, str]:
    """Invite the applicant: a new code goes out by mail, an earlier one stops working.

    :param note: for the applicant; needed when a vetting rule says no, since it is the operator's reason to differ.
    :return: the invitation and its code, which is kept nowhere else.
    :raises HelpoutsError: with field "note" when a rule fails and no note is given.
    :raises Conflict: when the application cannot be invited any more, or another operator must decide the appeal.
    """
    note = note.strip()
    failed = [v.rule for v in latest_verdicts(db, "application", application.id) if v.outcome == "fail"]
    if failed and not note:
        raise HelpoutsError(
            _l("The rule %(rules)s says no: say in a note why you invite all the same.", rules=", ".join(failed)),
            field="note",
        )
    _check_second_operator(db, application, actor)
    APPLICATION.apply(db, application, "invite", actor, note)
    application.reason = note
    revoke_open(db, application)
    invitation, code = make_invitation(db, application.category, application.email, actor, application)
    record(db, actor, "application.invite", application, note, invitation=invitation.id, against_rules=failed)
    _mail(db, application, "invitation", code=code, expires_at=invitation.expires_at, note=note)
    emit(db, "application_decided", application_id=application.id, decision="invited")
    return invitation, code


def decline(db: Session, application: Application, reason: str, actor: Actor) -> None:
    """Say no, with a reason that the applicant reads; an invitation that is still open stops working.

    :raises HelpoutsError: without a reason.
    :raises Conflict: when it is decided already, or another operator must decide the appeal.
    """
    text = clean_text(reason, "reason", MESSAGE_LENGTH)
    _check_second_operator(db, application, actor)
    APPLICATION.apply(db, application, "decline", actor, text)
    application.reason = text
    revoke_open(db, application)
    record(db, actor, "application.decline", application, text)
    _mail(db, application, "application_declined", reason=text, may_appeal=may_appeal(db, application))
    emit(db, "application_decided", application_id=application.id, decision="declined")


def appeal(db: Session, application: Application, text: str) -> None:
    """The applicant asks another operator to look again; possible once.

    :raises HelpoutsError: without a text.
    :raises Conflict: when the application is not declined, or was looked at twice.
    """
    body = clean_text(text, "body", MESSAGE_LENGTH)
    if application.state == "declined" and not may_appeal(db, application):
        raise Conflict(_l("A second person has looked at your application; this decision is final."))
    APPLICATION.apply(db, application, "appeal", VISITOR, body)
    db.add(ApplicationMessage(application_id=application.id, author_id=None, body=body))
    application.due_at = clock.now() + timedelta(days=site.get(db, "application_days"))
    db.flush()


def may_appeal(db: Session, application: Application) -> bool:
    """Whether the applicant can (still) appeal: declined, and not appealed before."""
    return application.state == "declined" and not any(step.event == "appeal" for step in steps_of(db, application))


def steps_of(db: Session, application: Application) -> list[Transition]:
    """What has happened to an application, the oldest first."""
    rows = select(Transition).where(Transition.machine == APPLICATION.name, Transition.subject_id == application.id)
    return list(db.scalars(rows.order_by(Transition.id)))


def messages_of(db: Session, application: Application) -> list[ApplicationMessage]:
    """The follow-up, the oldest first."""
    rows = select(ApplicationMessage).where(ApplicationMessage.application_id == application.id)
    return list(db.scalars(rows.order_by(ApplicationMessage.id)))


def open_category(db: Session, slug: str) -> Category:
    """An enabled category.

    :raises HelpoutsError: with field "category" when there is none of that name.
    """
    found = runtime_of(db).registry.categories(db).get(slug)
    if found is None:
        raise HelpoutsError(_l("Choose one of the fields that this site covers."), field="category")
    return found


def clean_text(text: str, field: str, longest: int) -> str:
    """A text of several lines without odd characters.

    :raises HelpoutsError: when it is empty or longer than ``longest`` characters.
    """
    lines = ("".join(c for c in line if c.isprintable() or c == "\t").rstrip() for line in text.splitlines())
    clean = "\n".join(lines).strip()
    if not clean:
        raise HelpoutsError(_l("Write a few words."), field=field)
    if len(clean) > longest:
        raise HelpoutsError(_l("Use at most %(length)s characters.", length=longest), field=field)
    return clean


def _link(text: str) -> str:
    link = text.strip()
    if not link:
        return ""
    if "://" not in link:
        link = f"https://{link}"
    try:
        parts = urlsplit(link)
        good = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and not parts.username
    except ValueError:
        good = False
    if not good or not link.isprintable() or " " in link:
        raise HelpoutsError(_l("This is not a web address: write it like https://example.org."), field="link")
    if len(link) > LINK_LENGTH:
        raise HelpoutsError(_l("Use at most %(length)s characters.", length=LINK_LENGTH), field="link")
    return link


def _check_second_operator(db: Session, application: Application, actor: Actor) -> None:
    """An appeal is not decided by whoever declined, as long as the site has another curator or admin."""
    if application.state != "appealed" or actor.user_id is None:
        return
    decliner = next((s.actor_id for s in reversed(steps_of(db, application)) if s.event == "decline"), None)
    if decliner != actor.user_id:
        return
    others = select(User.id).where(
        User.roles.any(Role.name.in_(("curator", "admin"))), User.active, User.id != actor.user_id
    )
    if db.scalar(others.limit(1)) is not None:
        raise Conflict(_l("You have declined this application: another operator decides the appeal."))


def _mail(db: Session, application: Application, template: str, **context: Any) -> None:
    category = runtime_of(db).registry.category(application.category)
    queue_mail(
        db,
        application.email,
        template,
        application.locale,
        application.zone,
        application=application,
        name=application.name,
        category=category,
        **context,
    )
