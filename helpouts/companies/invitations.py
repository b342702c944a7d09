"""Inviting people into a company by mail: made, taken back, accepted by the person it was sent to, exactly once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts import i18n
from helpouts.accounts.models import User
from helpouts.accounts.service import find_user, grant_role, normalize_email
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.catalog.models import Expert, ExpertMember
from helpouts.catalog.service import may_edit
from helpouts.clock import clock
from helpouts.companies.members import ROLES, role_in
from helpouts.companies.models import MemberInvitation
from helpouts.companies.states import INVITATION
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.mail.service import queue_mail
from helpouts.scheduling import changes
from helpouts.vetting.invitations import check_adult

LIFE = timedelta(days=14)
#: Invitations of one company in a day: each is a mail to somebody who did not ask for it.
MOST_A_DAY = 30
MOST_MEMBERS = 200


def open_invitations(db: Session, expert: Expert) -> list[MemberInvitation]:
    """Those that still can be accepted, the newest first."""
    query = select(MemberInvitation).where(
        MemberInvitation.expert_id == expert.id,
        MemberInvitation.state == "open",
        MemberInvitation.expires_at > clock.now(),
    )
    return list(db.scalars(query.order_by(MemberInvitation.id.desc())))


def invite(db: Session, expert: Expert, email: str, role: str, inviter: User) -> MemberInvitation:
    """Invite somebody by mail; an earlier open invitation of the same address is replaced.

    :raises HelpoutsError: a bad address or part, somebody who belongs to the company, a company that is full, or not a
        company at all; ``field`` names what to change.
    :raises NotAllowed: members invite nobody, managers no managers.
    """
    actor = Actor("expert", inviter.id, inviter.email)
    if expert.kind != "company":
        raise Conflict(_l("Only companies have members. Write to us if your profile is to become a company's."))
    if not may_edit(expert, actor):
        raise NotAllowed(_l("Only the owner and the managers of a company invite people."))
    if role not in ROLES:
        raise HelpoutsError(_l("Choose from the list."), field="role")
    if role == "manager" and role_in(expert, inviter.id) != "owner":
        raise NotAllowed(_l("Only the owner of the company invites managers."), field="role")
    address = normalize_email(email)
    known = find_user(db, address)
    if known is not None and role_in(expert, known.id):
        raise Conflict(_l("This person belongs to your company already."), field="email")
    db.refresh(expert, with_for_update={"of": Expert})  # one invitation after the other is counted
    today = MemberInvitation.created_at > clock.now() - timedelta(days=1)
    sent = select(func.count(MemberInvitation.id)).where(MemberInvitation.expert_id == expert.id, today)
    if (db.scalar(sent) or 0) >= MOST_A_DAY:
        raise Conflict(_l("You have invited many people today: please go on tomorrow."), field="email")
    if len(expert.members) >= MOST_MEMBERS:
        raise Conflict(_l("Your company has as many members as there can be."), field="email")
    for earlier in open_invitations(db, expert):
        if earlier.email == address:
            INVITATION.apply(db, earlier, "revoke", actor, "replaced")
    token = secrets.token_urlsafe(32)
    invitation = MemberInvitation(
        expert_id=expert.id,
        email=address,
        role=role,
        token_hash=_hash(token),
        invited_by=inviter.id,
        expires_at=clock.now() + LIFE,
    )
    db.add(invitation)
    db.flush()
    record(db, actor, "company.invite", invitation, email=address, role=role)
    locale = known.locale if known is not None else i18n.current_locale()
    _mail(db, invitation, token, locale or i18n.DEFAULT_LOCALE, inviter.name, expert.name)
    return invitation


def revoke(db: Session, expert: Expert, invitation_id: int, actor: Actor) -> None:
    """Take an open invitation back.

    :raises NotFound: it is not one of this company's.
    """
    invitation = db.get(MemberInvitation, invitation_id)
    if invitation is None or invitation.expert_id != expert.id or not may_edit(expert, actor):
        raise NotFound(_l("There is no such invitation any more."))
    INVITATION.apply(db, invitation, "revoke", actor)


def find(db: Session, token: str, *, lock: bool = False) -> MemberInvitation:
    """The invitation behind a link, while it can be accepted.

    :param lock: it is about to be answered: nobody else does meanwhile.
    :raises NotFound: unknown, used, taken back or run out; the message says what to do.
    """
    query = select(MemberInvitation).where(MemberInvitation.token_hash == _hash(token))
    invitation = db.scalar(query.with_for_update(of=MemberInvitation) if lock else query)
    if invitation is None or invitation.state == "revoked":
        raise NotFound(_l("This invitation is not there any more: ask the company for a new one."))
    if invitation.state != "open":
        raise NotFound(_l("This invitation has been answered already."))
    if invitation.expires_at <= clock.now() or invitation.expert.state != "active":
        raise NotFound(_l("This invitation has run out: ask the company for a new one."))
    return invitation


def accept(db: Session, token: str, user: User) -> Expert:
    """Join the company; the person serves its listings from now on, as soon as they have hours.

    :raises NotFound: what :func:`find` raises.
    :raises NotAllowed: somebody whom it was not sent to, or who is not of age.
    """
    invitation = find(db, token, lock=True)
    if user.email.strip().lower() != invitation.email.lower():
        raise NotAllowed(_l("This invitation was sent to another mail address: sign in with that one."))
    check_adult(user)
    expert = invitation.expert
    actor = Actor("customer", user.id, user.email)
    INVITATION.apply(db, invitation, "accept", actor)
    if not role_in(expert, user.id):
        expert.members.append(ExpertMember(user_id=user.id, user=user, role=invitation.role))
        db.flush()
    grant_role(db, user, "expert", actor)
    record(db, actor, "company.join", expert, user=user.id, role=invitation.role)
    changes.touch(db, [member.user_id for member in expert.members])
    return expert


def decline(db: Session, token: str, actor: Actor) -> None:
    """Say no; whoever holds the link may.

    :raises NotFound: what :func:`find` raises.
    """
    INVITATION.apply(db, find(db, token, lock=True), "decline", actor)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _mail(db: Session, invitation: MemberInvitation, token: str, locale: str, inviter: str, company: str) -> None:
    expires: datetime = invitation.expires_at
    queue_mail(
        db,
        invitation.email,
        "company_invitation",
        locale,
        expires_at=expires,
        inviter=inviter,
        company=company,
        role=invitation.role,
        token=token,
    )
