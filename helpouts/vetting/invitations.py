"""Invitation codes: made, revoked, checked, and redeemed exactly once."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts import i18n, site
from helpouts.accounts.models import User
from helpouts.accounts.service import clean_name, grant_role, known_zone, normalize_email
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember
from helpouts.catalog.slugs import free_slug
from helpouts.catalog.validation import MOST_LANGUAGES, known_languages
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import in_language
from helpouts.i18n import lazy_gettext as _l
from helpouts.mail.service import queue_mail
from helpouts.runtime import runtime_of
from helpouts.vetting import codes
from helpouts.vetting.models import Application, Invitation
from helpouts.vetting.states import APPLICATION

HEADLINE_LENGTH = 160
BIO_LENGTH = 4000
ADULT_YEARS = 18


class NotAllowedCode(HelpoutsError):
    """The code is good, but not for this person."""

    status = 409
    code = "not_allowed"


def make_invitation(
    db: Session, category: str, email: str, actor: Actor, application: Application | None = None
) -> tuple[Invitation, str]:
    """A new invitation and its code; tells nobody."""
    code = codes.new_code()
    invitation = Invitation(
        code_hash=codes.digest(codes.normalize(code) or ""),
        hint=code[-4:],
        category=category,
        email=email,
        application_id=application.id if application else None,
        created_by=actor.user_id,
        expires_at=clock.now() + timedelta(days=site.get(db, "invitation_days")),
    )
    db.add(invitation)
    db.flush()
    return invitation, code


def issue(
    db: Session, category: str, email: str, actor: Actor, *, locale: str = i18n.DEFAULT_LOCALE
) -> tuple[Invitation, str]:
    """Invite somebody who has not applied.

    :param email: the only address that may use the code, which is sent there; "" makes a code for anybody.
    :return: the invitation and its code, which is kept nowhere else.
    :raises HelpoutsError: for a category that is not enabled, or a bad address.
    """
    registry = runtime_of(db).registry
    if category not in registry.categories(db):
        known = ", ".join(registry.categories(db)) or "-"
        raise HelpoutsError(
            _l("There is no category “%(name)s”; enabled: %(known)s.", name=category, known=known), field="category"
        )
    address = normalize_email(email) if email else ""
    invitation, code = make_invitation(db, category, address, actor)
    record(db, actor, "invitation.issue", invitation, category=category, email=address)
    if address:
        queue_mail(
            db,
            address,
            "invitation",
            locale,
            application=None,
            name="",
            category=registry.category(category),
            code=code,
            expires_at=invitation.expires_at,
            note="",
        )
    return invitation, code


def revoke(db: Session, invitation: Invitation, reason: str, actor: Actor) -> None:
    """Make a code worthless.

    :raises Conflict: when it is used or revoked already.
    """
    if invitation.used_at is not None:
        raise Conflict(_l("This invitation is used; suspend the expert instead."))
    if invitation.revoked_at is not None:
        raise Conflict(_l("This invitation is revoked already."))
    if not _take(db, invitation, revoked_at=clock.now()):
        raise Conflict(_l("This invitation has just been used; suspend the expert instead."))
    record(db, actor, "invitation.revoke", invitation, reason)


def revoke_open(db: Session, application: Application) -> None:
    """Make all unused codes of an application worthless (a new one goes out, or it is declined after all)."""
    rows = select(Invitation).where(Invitation.application_id == application.id)
    for invitation in db.scalars(rows):
        if invitation.used_at is None and invitation.revoked_at is None:
            _take(db, invitation, revoked_at=clock.now())


def check_code(db: Session, code: str, category: str | None = None) -> Invitation:
    """The invitation of a code that can be redeemed now.

    :param category: the field that somebody wants to join, if they have said so.
    :raises HelpoutsError: with field "code" and what to do: no code, not a code, unknown, used, revoked, run out, for
        another field, or for a field that is switched off.
    """
    if not code.strip():
        raise HelpoutsError(_l("Enter the code from your invitation."), field="code")
    symbols = codes.normalize(code[:200])
    if symbols is None:
        raise HelpoutsError(_l("This is not an invitation code: it looks like HELP-7Q4M-K2XR-9PTD-03WV."), field="code")
    wanted = codes.digest(symbols)
    invitation = db.scalar(
        select(Invitation).where(Invitation.code_hash == wanted).execution_options(populate_existing=True)
    )
    if invitation is None or not hmac.compare_digest(invitation.code_hash, wanted):
        raise HelpoutsError(_l("We do not know this code: compare it with the mail letter by letter."), field="code")
    if invitation.used_at is not None:
        raise Conflict(_l("This code is used already: each code works once."), field="code")
    if invitation.revoked_at is not None:
        raise Conflict(_l("This code was replaced or taken back: use the newest mail, or write to us."), field="code")
    if invitation.expires_at <= clock.now():
        raise Conflict(_l("This code has run out: write to us, and we send you a new one."), field="code")
    registry = runtime_of(db).registry
    held = in_language(registry.category(invitation.category).name)
    if category and category != invitation.category:
        asked = in_language(registry.category(category).name)
        raise Conflict(_l("This code is for “%(held)s”, not for “%(asked)s”.", held=held, asked=asked), field="code")
    if invitation.category not in registry.categories(db):
        raise Conflict(
            _l("“%(held)s” is switched off at the moment: keep your code and try again later.", held=held), field="code"
        )
    return invitation


def redeem(
    db: Session,
    user: User,
    code: str,
    *,
    kind: str,
    name: str,
    headline: str,
    zone: str,
    languages: Sequence[str],
    bio: str = "",
    category: str | None = None,
) -> Expert:
    """Make the user an expert, or open one more category for the expert that they are; the code is used up.

    Somebody who is an expert already keeps their profile: everything but the code is ignored.  Of any number of
    people who redeem one code at the same moment, one succeeds.

    :raises HelpoutsError: what :func:`check_code` raises, a code for another mail address, a bad value.
    """
    invitation = check_code(db, code, category)
    # one redemption per person at a time, and with what the one before has changed
    locked = select(User).where(User.id == user.id).with_for_update(of=User)
    user = db.scalars(locked.execution_options(populate_existing=True)).one()
    _check_person(user, invitation)
    actor = Actor("customer", user.id, user.email)
    expert = owned_expert(db, user)
    values = None if expert else _profile(kind, name, headline, zone, languages, bio)
    if expert is not None:
        if expert.state != "active":
            raise Conflict(_l("Your expert profile is suspended: write to us first."), field="code")
        if invitation.category in {held.category for held in expert.categories}:
            raise Conflict(
                _l("You are an expert in this field already: keep the code for somebody else."), field="code"
            )
    if not _take(db, invitation, used_at=clock.now(), used_by=user.id):
        raise Conflict(_l("This code is used already: each code works once."), field="code")
    if expert is None and values is not None:
        expert = _make_expert(db, user, values)
        user.zone = known_zone(zone)
    assert expert is not None
    expert.categories.append(ExpertCategory(category=invitation.category))
    db.flush()
    grant_role(db, user, "expert", actor)
    if invitation.application is not None and invitation.application.state == "invited":
        APPLICATION.apply(db, invitation.application, "join", actor)
    record(db, actor, "invitation.redeem", invitation, expert=expert.id, category=invitation.category)
    return expert


def owned_expert(db: Session, user: User) -> Expert | None:
    """The expert that the user owns; being a member of somebody else's company does not count."""
    rows = select(Expert).join(ExpertMember).where(ExpertMember.user_id == user.id, ExpertMember.role == "owner")
    return db.scalars(rows.order_by(Expert.id).limit(1)).first()


def _take(db: Session, invitation: Invitation, **values: object) -> bool:
    """Use up an open invitation in one statement; False when somebody was faster."""
    result = db.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.used_at.is_(None), Invitation.revoked_at.is_(None))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    db.refresh(invitation)
    return bool(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult


def _check_person(user: User, invitation: Invitation) -> None:
    if invitation.email and user.email.strip().lower() != invitation.email.lower():
        raise NotAllowedCode(
            _l("This code was sent to another mail address: sign in with that address, or write to us."), field="code"
        )
    check_adult(user)


def check_adult(user: User) -> None:
    """Who has told their date of birth must be of age to become an expert.

    :raises NotAllowed: otherwise.
    """
    today = clock.now().date()
    born = user.birth_date
    if born is not None:
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        if years < ADULT_YEARS:
            raise NotAllowed(_l("Experts must be at least 18 years old."))


def _profile(kind: str, name: str, headline: str, zone: str, languages: Sequence[str], bio: str) -> dict[str, object]:
    if kind not in ("individual", "company"):
        raise HelpoutsError(_l("Say whether you work for yourself or for a company."), field="kind")
    if not headline.strip():
        raise HelpoutsError(_l("Say in one line what you help with."), field="headline")
    if len(headline.strip()) > HEADLINE_LENGTH:
        raise HelpoutsError(_l("Use at most %(length)s characters.", length=HEADLINE_LENGTH), field="headline")
    if len(bio.strip()) > BIO_LENGTH:
        raise HelpoutsError(_l("Use at most %(length)s characters.", length=BIO_LENGTH), field="bio")
    if not known_zone(zone):
        raise HelpoutsError(_l("Choose the time zone that you live in."), field="zone")
    spoken = list(dict.fromkeys(languages))
    if not spoken:
        raise HelpoutsError(_l("Choose at least one language."), field="languages")
    if len(spoken) > MOST_LANGUAGES or not set(spoken) <= known_languages():
        raise HelpoutsError(_l("Choose your languages from the list."), field="languages")
    return {
        "kind": kind,
        "name": clean_name(name),
        "headline": " ".join(headline.split()),
        "bio": bio.strip().replace("\r\n", "\n"),
        "languages": spoken,
    }


def _make_expert(db: Session, user: User, values: dict[str, object]) -> Expert:
    """The expert with its owner; the second try is for two people of one name at the same moment."""
    slug = free_slug(db, Expert.slug, str(values["name"]), "expert")
    for candidate in (slug, f"{slug}-{secrets.token_hex(4)}"):
        try:
            with db.begin_nested():
                expert = Expert(slug=candidate, **values)
                db.add(expert)
                db.flush()
        except IntegrityError:
            continue
        expert.members.append(ExpertMember(user_id=user.id, user=user, role="owner"))
        db.flush()
        return expert
    raise Conflict(_l("Somebody was faster: please send the form again."))
