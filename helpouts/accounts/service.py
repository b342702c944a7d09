"""What can be done with accounts, for the site, the command line, the console and the tests alike."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import email_validator
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from helpouts import i18n
from helpouts.accounts import zones
from helpouts.accounts.models import LoginSession, Role, User
from helpouts.accounts.passwords import hash_password
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import handler

#: Every role with what it is for; the operators' roles are explained in docs/operators.md.
ROLES: dict[str, str] = {
    "customer": "Books sessions; everybody who signs up.",
    "expert": "Offers sessions; given by redeeming an invitation.",
    "support": "Helps with bookings and accounts.",
    "curator": "Vets applications, experts and listings.",
    "finance": "Sees the ledger, refunds and pays out.",
    "admin": "Everything that the other operators may, and the settings.",
}
NAME_LENGTH = 120
# A site may be an organisation's own: the documented way to allow its inner names.
email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in ("local", "localhost", "test")
]


def ensure_roles(db: Session) -> dict[str, Role]:
    """All roles by name, made where they are missing."""
    roles = {role.name: role for role in db.scalars(select(Role))}
    for name, description in ROLES.items():
        if name not in roles:
            roles[name] = Role(name=name, description=description)
            db.add(roles[name])
    db.flush()
    return roles


def normalize_email(text: str) -> str:
    """The one way in which a mail address is kept: checked (RFC 5321), small letters, international domain.

    Addresses inside an organisation (``.local``, ``localhost``) are fine: a site may be anybody's own.

    :raises HelpoutsError: for field "email".
    """
    try:
        valid = email_validator.validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except email_validator.EmailNotValidError:
        raise HelpoutsError(_l("This is not a mail address: write it like name@example.org."), field="email") from None
    if "." not in valid.domain and valid.domain != "localhost":
        raise HelpoutsError(_l("This is not a mail address: write it like name@example.org."), field="email")
    return valid.normalized.lower()


def clean_name(text: str) -> str:
    """A name as people wrote it, without needless blanks.

    :raises HelpoutsError: for field "name": empty, too long, or with characters that cannot be seen.
    """
    name = " ".join(text.split(" ")).strip()
    if not name:
        raise HelpoutsError(_l("Tell us your name."), field="name")
    if len(name) > NAME_LENGTH:
        raise HelpoutsError(_l("Use at most %(length)s characters.", length=NAME_LENGTH), field="name")
    if not name.isprintable():
        raise HelpoutsError(_l("Use letters that can be seen: no line breaks or control characters."), field="name")
    return " ".join(name.split())


def find_user(db: Session, email: str) -> User | None:
    """The account with this mail address, in whatever letters it is written."""
    return db.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def get_user(db: Session, email: str) -> User:
    """The account with this mail address.

    :raises NotFound: when there is none.
    """
    user = find_user(db, email)
    if user is None:
        raise NotFound(_l("There is no account with the address %(email)s.", email=email))
    return user


def create_user(
    db: Session,
    email: str,
    password: str,
    name: str,
    roles: Iterable[str] = (),
    confirmed: bool = False,
    locale: str = "en",
    zone: str = "",
) -> User:
    """Make an account; everybody is a customer, ``roles`` come on top.

    The strength of the password is the caller's to check (:func:`helpouts.accounts.passwords.check_password`).

    :param confirmed: the mail address is known to be the person's; else they confirm it before they can sign in.
    :raises HelpoutsError: for a bad address, name or role.
    :raises Conflict: when there is an account with this address.
    """
    address, clean = normalize_email(email), clean_name(name)
    if find_user(db, address) is not None:
        raise Conflict(_l("There is an account with the address %(email)s.", email=address), field="email")
    known = ensure_roles(db)
    user = User(
        email=address,
        name=clean,
        password=hash_password(password),
        locale=locale if locale in i18n.LANGUAGES else i18n.DEFAULT_LOCALE,
        zone=known_zone(zone),
        confirmed_at=clock.now() if confirmed else None,
        roles=[known[_role_name(role)] for role in dict.fromkeys(("customer", *roles))],
    )
    db.add(user)
    db.flush()
    return user


def known_zone(name: str) -> str:
    """The IANA zone if it is one, else ""."""
    return name if name in zones.known() else ""


def _role_name(name: str) -> str:
    if name not in ROLES:
        raise HelpoutsError(
            _l("There is no role “%(role)s”: choose one of %(known)s.", role=name, known=", ".join(ROLES)), field="role"
        )
    return name


def grant_role(db: Session, user: User, role: str, actor: Actor, reason: str = "") -> bool:
    """Give a role; False when the person has it already."""
    wanted = ensure_roles(db)[_role_name(role)]
    if any(held.id == wanted.id for held in user.roles):
        return False
    user.roles.append(wanted)
    db.flush()
    record(db, actor, "role.grant", user, reason, role=role)
    return True


def revoke_role(db: Session, user: User, role: str, actor: Actor, reason: str = "") -> bool:
    """Take a role away and end the person's sessions; False when the person does not have it.

    :raises Conflict: for the last admin, and for "customer", which everybody is.
    """
    _role_name(role)
    held = next((r for r in user.roles if r.name == role), None)
    if held is None:
        return False
    if role == "customer":
        raise Conflict(_l("Everybody with an account is a customer."), field="role")
    if role == "admin":
        others = select(User.id).where(User.roles.any(Role.name == "admin"), User.active, User.id != user.id)
        if db.scalar(others.limit(1)) is None:
            raise Conflict(_l("This is the last admin: make somebody else admin first."), field="role")
    user.roles.remove(held)
    db.flush()
    sign_out_everywhere(db, user)
    record(db, actor, "role.revoke", user, reason, role=role)
    return True


def sign_out_everywhere(db: Session, user: User, keep: int | None = None) -> int:
    """End the sessions of a person (but for the row ``keep``); returns how many there were."""
    ended = db.execute(delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.id != (keep or 0)))
    return int(ended.rowcount)  # type: ignore[attr-defined]  # a DELETE's result is a CursorResult


def set_active(db: Session, user: User, active: bool, actor: Actor, reason: str) -> None:
    """Lock an account (its sessions end at once and links in mails are void) or open it again."""
    user.active = active
    user.fs_uniquifier = uuid.uuid4().hex
    sign_out_everywhere(db, user)
    record(db, actor, "user.unlock" if active else "user.lock", user, reason)


def sessions_of(db: Session, user: User, now: datetime | None = None) -> list[LoginSession]:
    """Where a person is signed in, the latest first."""
    rows = select(LoginSession).where(LoginSession.user_id == user.id, LoginSession.expires_at > (now or clock.now()))
    return list(db.scalars(rows.order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())))


def update_profile(db: Session, user: User, *, name: str, locale: str, zone: str) -> None:
    """Change what a person says of themselves.

    :raises HelpoutsError: with the field, before anything is changed.
    """
    clean = clean_name(name)
    if locale not in i18n.LANGUAGES:
        raise HelpoutsError(_l("Choose one of the languages."), field="locale")
    if not known_zone(zone):
        raise HelpoutsError(_l("Choose the time zone that you live in."), field="zone")
    user.name, user.locale, user.zone = clean, locale, zone
    db.flush()


@handler("accounts.forget_sessions", every_seconds=3600)
def forget_sessions(db: Session, _payload: Mapping[str, Any]) -> None:
    """Remove the rows of sessions that have run out."""
    db.execute(delete(LoginSession).where(LoginSession.expires_at <= clock.now()))
