"""Companies: inviting by mail, joining, parts, leaving; the pages for it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.accounts.service import create_user
from helpouts.audit.actor import Actor
from helpouts.catalog.models import Expert, ExpertMember, ListingMember
from helpouts.catalog.serving import save_serving
from helpouts.clock import clock
from helpouts.companies import invitations, members
from helpouts.companies.models import MemberInvitation
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound
from helpouts.jobs.models import Job
from helpouts.runtime import Runtime
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user
from helpouts.web.app import create_app

PASSWORD = "correct horse battery"
_TOKEN = re.compile(r"/company/join/([\w-]+)")


@pytest.fixture
def company(db: Session) -> Expert:
    """A company of its owner alone."""
    expert = make_expert(db, "Weber Systems")
    expert.kind = "company"
    db.flush()
    return expert


def actor(user: User) -> Actor:
    return Actor("expert", user.id, user.email)


def mailed(db: Session) -> str:
    """The token in the newest mail."""
    job = db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id.desc()).limit(1)).one()
    found = _TOKEN.search(job.payload["body"])
    assert found is not None
    return found[1]


def join(db: Session, company: Expert, name: str = "Bo Ek", role: str = "member") -> User:
    """Somebody who was invited and has accepted."""
    user = make_user(db, name)
    invitations.invite(db, company, user.email, role, company.owner)
    invitations.accept(db, mailed(db), user)
    return user


def test_who_is_invited_joins_with_the_link_in_the_mail_and_serves_from_then_on(db: Session, company: Expert) -> None:
    listing = make_listing(db, company)
    bo = make_user(db, "Bo Ek")
    invitations.invite(db, company, bo.email.upper(), "member", company.owner)
    token = mailed(db)
    assert token not in {row.token_hash for row in db.scalars(select(MemberInvitation))}
    assert invitations.accept(db, token, bo) is company
    assert members.role_in(company, bo.id) == "member"
    assert bo.has_role("expert")
    save_serving(db, listing, "any", True, [bo.id], actor(company.owner))
    with pytest.raises(NotFound, match="answered already"):
        invitations.accept(db, token, bo)


def test_nobody_else_can_use_the_link(db: Session, company: Expert) -> None:
    invitations.invite(db, company, "bo@test.example", "member", company.owner)
    token = mailed(db)
    with pytest.raises(NotAllowed, match="another mail address"):
        invitations.accept(db, token, make_user(db, "Cy Day"))
    assert len(company.members) == 1
    assert invitations.find(db, token).state == "open"


def test_a_minor_cannot_join(db: Session, company: Expert) -> None:
    young = make_user(db, "Yo Ung", birth_date=date(clock.now().year - 15, 1, 1))
    invitations.invite(db, company, young.email, "member", company.owner)
    with pytest.raises(NotAllowed, match="18"):
        invitations.accept(db, mailed(db), young)


@pytest.mark.parametrize("how", ["revoked", "replaced", "expired", "declined", "suspended", "invented"])
def test_a_link_that_is_over_says_what_to_do(db: Session, company: Expert, how: str) -> None:
    bo = make_user(db, "Bo Ek")
    invitation = invitations.invite(db, company, bo.email, "member", company.owner)
    token = mailed(db)
    if how == "revoked":
        invitations.revoke(db, company, invitation.id, actor(company.owner))
    elif how == "replaced":
        invitations.invite(db, company, bo.email, "member", company.owner)
    elif how == "expired":
        invitation.expires_at = clock.now()
    elif how == "declined":
        invitations.decline(db, token, actor(bo))
    elif how == "suspended":
        company.state = "suspended"
    else:
        token = token[::-1]
    db.flush()
    with pytest.raises(NotFound, match=r"ask the company|answered already"):
        invitations.accept(db, token, bo)
    assert members.role_in(company, bo.id) == ""


def test_who_may_invite_whom(db: Session, company: Expert) -> None:
    manager, member = join(db, company, "Mara Nage", "manager"), join(db, company)
    invitations.invite(db, company, "one@test.example", "member", manager)
    with pytest.raises(NotAllowed, match="invites managers"):
        invitations.invite(db, company, "two@test.example", "manager", manager)
    with pytest.raises(NotAllowed, match="invite people"):
        invitations.invite(db, company, "three@test.example", "member", member)
    assert [row.email for row in invitations.open_invitations(db, company)] == ["one@test.example"]


@pytest.mark.parametrize(
    ("email", "role", "field"),
    [("nobody", "member", "email"), ("a@test.example", "owner", "role"), ("own", "member", "email")],
)
def test_a_bad_invitation_is_refused_and_nothing_is_sent(
    db: Session, company: Expert, email: str, role: str, field: str
) -> None:
    before = db.scalar(select(func.count(Job.id)))
    with pytest.raises(HelpoutsError) as refusal:
        invitations.invite(db, company, company.owner.email if email == "own" else email, role, company.owner)
    assert refusal.value.field == field
    assert db.scalar(select(func.count(Job.id))) == before


def test_somebody_who_works_alone_cannot_invite(db: Session) -> None:
    expert = make_expert(db)
    with pytest.raises(Conflict, match="Only companies"):
        invitations.invite(db, expert, "bo@test.example", "member", expert.owner)


def test_a_company_cannot_flood_people_with_mails(
    db: Session, company: Expert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST_A_DAY", 2)
    for number in range(2):
        invitations.invite(db, company, f"p{number}@test.example", "member", company.owner)
    with pytest.raises(Conflict, match="tomorrow"):
        invitations.invite(db, company, "p3@test.example", "member", company.owner)


def test_the_owner_gives_parts_and_hands_the_company_over(db: Session, company: Expert) -> None:
    bo, owner = join(db, company), company.owner
    with pytest.raises(NotAllowed):
        members.set_role(db, company, bo.id, "manager", actor(bo))
    members.set_role(db, company, bo.id, "manager", actor(owner))
    with pytest.raises(NotAllowed):
        members.hand_over(db, company, bo.id, actor(bo))
    members.hand_over(db, company, bo.id, actor(owner))
    assert (company.owner.id, members.role_in(company, owner.id)) == (bo.id, "manager")
    with pytest.raises(NotAllowed, match="hand the company over"):
        members.remove(db, company, bo.id, actor(bo))


def test_nobody_leaves_while_a_customer_counts_on_them(db: Session, company: Expert) -> None:
    bo, listing = join(db, company), make_listing(db, company)
    booking = make_booking(db, listing, make_customer(db))
    booking.host_id = bo.id
    db.flush()
    save_serving(db, listing, "any", False, [bo.id, company.owner.id], actor(company.owner))
    with pytest.raises(Conflict, match="1 session"):
        members.remove(db, company, bo.id, actor(bo))
    clock.set(booking.ends_at + timedelta(minutes=1))
    members.remove(db, company, bo.id, actor(bo))
    assert members.role_in(company, bo.id) == ""
    assert list(db.scalars(select(ListingMember.user_id))) == [company.owner.id]
    assert not bo.has_role("expert")


def test_members_remove_nobody_and_managers_no_managers(db: Session, company: Expert) -> None:
    bo, cy, mara = join(db, company), join(db, company, "Cy Day"), join(db, company, "Mara Nage", "manager")
    with pytest.raises(NotAllowed):
        members.remove(db, company, cy.id, actor(bo))
    with pytest.raises(NotAllowed):
        members.remove(db, company, company.owner.id, actor(mara))
    members.remove(db, company, cy.id, actor(mara))
    members.remove(db, company, mara.id, actor(company.owner))
    assert {member.user_id for member in company.members} == {bo.id, company.owner.id}


def test_who_works_elsewhere_stays_an_expert(db: Session, company: Expert) -> None:
    bo = join(db, company)
    own = make_expert(db, "Bo Alone")
    db.add(ExpertMember(expert_id=own.id, user_id=bo.id, role="member"))
    db.flush()
    members.remove(db, company, bo.id, actor(bo))
    assert bo.has_role("expert")


# -- pages -----------------------------------------------------------------------------------------------------


@pytest.fixture
def site(runtime: Runtime) -> dict[str, Any]:
    """A company with an owner who can sign in, and Bo who has only an account."""
    with runtime.database.write() as db:
        expert = make_expert(db, "Weber Systems")
        expert.kind = "company"
        owner = create_user(db, "ada@example.org", PASSWORD, "Ada Wrench", ("expert",), confirmed=True)
        before = expert.members[0]
        before.role = "manager"
        db.add(ExpertMember(expert_id=expert.id, user_id=owner.id, role="owner"))
        bo = create_user(db, "bo@example.org", PASSWORD, "Bo Ek", confirmed=True)
        return {"expert": expert.id, "owner": owner.id, "bo": bo.id, "before": before.user_id}


def client_of(runtime: Runtime, email: str = "") -> Any:
    client = create_app(runtime).test_client()
    if email:
        sent = {"csrf_token": csrf(client.get("/login").text), "email": email, "password": PASSWORD}
        assert client.post("/login", data=sent).status_code == 302
    return client


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_pages_lead_from_the_invitation_to_the_new_members_hours(runtime: Runtime, site: dict[str, Any]) -> None:
    ada = client_of(runtime, "ada@example.org")
    page = ada.get("/expert/people").text
    assert "Weber Systems" in page
    sent = {"csrf_token": csrf(page), "email": "bo@example.org", "role": "member"}
    assert ada.post("/expert/people", data=sent).status_code == 303
    assert "bo@example.org" in ada.get("/expert/people").text
    with runtime.database.read() as db:
        token = mailed(db)
    path = f"/company/join/{token}"
    stranger = client_of(runtime)
    assert "Sign in" in stranger.get(path).text
    bo = client_of(runtime, "bo@example.org")
    page = bo.get(path).text
    answer = bo.post(path, data={"csrf_token": csrf(page), "answer": "yes"})
    assert (answer.status_code, answer.location) == (303, "/expert/hours")
    assert "Bo Ek" in ada.get("/expert/people").text
    assert bo.get("/expert/people").status_code == 200
    assert (
        bo.post(
            "/expert/people", data={"csrf_token": csrf(page), "email": "x@example.org", "role": "member"}
        ).status_code
        == 403
    )


def test_what_cannot_be_done_is_said_on_the_page(runtime: Runtime, site: dict[str, Any]) -> None:
    ada = client_of(runtime, "ada@example.org")
    page = ada.get("/expert/people").text
    again = ada.post("/expert/people", data={"csrf_token": csrf(page), "email": "no address", "role": "member"})
    assert again.status_code == 400
    assert 'aria-invalid="true"' in again.text
    path = f"/expert/people/{site['before']}"
    for action, status in (("member", 303), ("nonsense", 400)):
        assert ada.post(path, data={"csrf_token": csrf(page), "action": action}).status_code == status
    assert ada.get("/expert/people/999999").status_code == 404


def test_experts_without_a_company_have_no_such_page(runtime: Runtime) -> None:
    with runtime.database.write() as db:
        expert = make_expert(db)
        db.delete(expert.members[0])
        owner = create_user(db, "ada@example.org", PASSWORD, "Ada Wrench", ("expert",), confirmed=True)
        db.add(ExpertMember(expert_id=expert.id, user_id=owner.id, role="owner"))
    ada = client_of(runtime, "ada@example.org")
    assert ada.get("/expert/people").status_code == 404
    assert "/expert/people" not in ada.get("/expert").text
