"""A code opens one category, once, for one person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.accounts.service import ensure_roles
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.plugins.service import set_enabled
from helpouts.runtime import Runtime
from helpouts.vetting import service
from helpouts.vetting.models import Application, Invitation

MakeUser = Callable[..., User]
#: For tables of what is refused before anything is written.
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Apply = Callable[..., Application]

#: A profile that can be made with a code.
PROFILE: dict[str, Any] = {
    "kind": "individual",
    "name": "Jonas Weber",
    "headline": "Home networks that simply work",
    "zone": "Europe/Berlin",
    "languages": ["de", "en"],
}


def refusal(db: Session, code: str, user: User | None = None, category: str | None = None) -> str:
    """Why the code is refused; the field must be the code's."""
    with pytest.raises(HelpoutsError) as caught:
        _try(db, code, user, category)
    assert caught.value.field == "code"
    return str(caught.value)


def _try(db: Session, code: str, user: User | None, category: str | None) -> None:
    if user is None:
        service.check_code(db, code, category)
    else:
        service.redeem(db, user, code, category=category, **PROFILE)


def test_the_whole_way_from_applicant_to_expert(db: Session, apply: Apply, make_user: MakeUser) -> None:
    application = apply()
    _, code = service.invite(db, application, SYSTEM)
    user = make_user()
    expert = service.redeem(db, user, f" {code.lower().replace('-', ' ')} ", **PROFILE)
    assert (expert.name, expert.kind, expert.slug, expert.state) == (
        "Jonas Weber",
        "individual",
        "jonas-weber",
        "active",
    )
    assert expert.owner is user
    assert [held.category for held in expert.categories] == ["it"]
    assert user.has_any_role("expert")
    assert user.zone == "Europe/Berlin"
    assert application.state == "joined"
    assert [step.event for step in service.steps_of(db, application)] == ["invite", "join"]


def test_a_company_becomes_an_expert_with_its_owner(db: Session, make_user: MakeUser) -> None:
    _, code = service.issue(db, "it", "", SYSTEM)
    expert = service.redeem(db, make_user(), code, **{**PROFILE, "kind": "company", "name": "Weber & Töchter"})
    assert (expert.kind, expert.slug) == ("company", "weber-toechter")
    assert [member.role for member in expert.members] == ["owner"]


def test_a_code_is_mailed_to_the_address_it_is_bound_to(db: Session, mails: Callable[[], list[dict[str, Any]]]) -> None:
    invitation, code = service.issue(db, "fashion", "Esther@Example.org", SYSTEM, locale="de")
    assert invitation.email == "esther@example.org"
    (mail,) = mails()
    assert mail["to"] == "esther@example.org"
    assert code in mail["body"]
    assert "Mode" in mail["subject"]


@ONE_DATABASE
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter the code"),
        ("   ", "Enter the code"),
        ("hello", "looks like HELP-"),
        ("HELP-0000-0000-0000-0000", "do not know this code"),
        ("x" * 10_000, "looks like HELP-"),
        ("' OR 1=1 --", "looks like HELP-"),
    ],
)
def test_what_is_not_a_code_of_ours_is_refused(db: Session, typed: str, words: str) -> None:
    assert words in refusal(db, typed)


def test_a_code_works_once(db: Session, make_user: MakeUser) -> None:
    _, code = service.issue(db, "it", "", SYSTEM)
    service.redeem(db, make_user(), code, **PROFILE)
    assert "used already" in refusal(db, code)
    assert "used already" in refusal(db, code, make_user("other@example.org"))


def test_a_code_runs_out(db: Session, make_user: MakeUser) -> None:
    invitation, code = service.issue(db, "it", "", SYSTEM)
    clock.set(invitation.expires_at - timedelta(seconds=1))
    service.check_code(db, code)
    clock.set(invitation.expires_at)
    assert "run out" in refusal(db, code, make_user())


def test_a_revoked_code_is_refused(db: Session, make_user: MakeUser) -> None:
    invitation, code = service.issue(db, "it", "", SYSTEM)
    service.revoke(db, invitation, "Sent to the wrong person.", SYSTEM)
    assert "taken back" in refusal(db, code, make_user())
    with pytest.raises(HelpoutsError):
        service.revoke(db, invitation, "Again.", SYSTEM)


def test_a_used_code_cannot_be_revoked(db: Session, make_user: MakeUser) -> None:
    invitation, code = service.issue(db, "it", "", SYSTEM)
    service.redeem(db, make_user(), code, **PROFILE)
    with pytest.raises(HelpoutsError, match="suspend the expert"):
        service.revoke(db, invitation, "Too late.", SYSTEM)


def test_a_code_for_another_category_is_refused(db: Session, make_user: MakeUser) -> None:
    _, code = service.issue(db, "it", "", SYSTEM)
    assert (
        refusal(db, code, make_user(), category="fashion")
        == "This code is for “Information technology”, not for “Fashion”."
    )


def test_a_code_for_a_disabled_category_waits(db: Session, make_user: MakeUser) -> None:
    _, code = service.issue(db, "it", "", SYSTEM)
    set_enabled(db, "category_it", False, SYSTEM)
    assert "switched off" in refusal(db, code, make_user())
    set_enabled(db, "category_it", True, SYSTEM)
    service.check_code(db, code)


def test_a_code_for_another_mail_address_is_refused(db: Session, make_user: MakeUser) -> None:
    invitation, code = service.issue(db, "it", "jonas@example.org", SYSTEM)
    assert "another mail address" in refusal(db, code, make_user("thief@example.org"))
    assert invitation.used_at is None
    service.redeem(db, make_user("jonas@example.org"), code, **PROFILE)


def test_no_code_can_be_issued_for_an_unknown_category(db: Session) -> None:
    with pytest.raises(HelpoutsError, match="enabled: education, fashion, home_garden, it"):
        service.issue(db, "astrology", "", SYSTEM)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "robot"}, "kind"),
        ({"name": " "}, "name"),
        ({"headline": ""}, "headline"),
        ({"headline": "x" * 161}, "headline"),
        ({"bio": "x" * 4001}, "bio"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"languages": []}, "languages"),
        ({"languages": ["klingon"]}, "languages"),
    ],
)
def test_a_bad_profile_is_refused_and_the_code_stays_good(
    db: Session, make_user: MakeUser, changes: dict[str, Any], field: str
) -> None:
    _, code = service.issue(db, "it", "", SYSTEM)
    with pytest.raises(HelpoutsError) as caught:
        service.redeem(db, make_user(), code, **{**PROFILE, **changes})
    assert caught.value.field == field
    service.check_code(db, code)
    assert db.scalar(select(func.count(Expert.id))) == 0


def test_a_minor_does_not_become_an_expert(db: Session, make_user: MakeUser) -> None:
    _, code = service.issue(db, "it", "", SYSTEM)
    with pytest.raises(HelpoutsError, match="18 years"):
        service.redeem(db, make_user(birth_date=date(2015, 5, 5)), code, **PROFILE)


def test_a_second_code_opens_a_second_category_and_leaves_the_profile(db: Session, make_user: MakeUser) -> None:
    user = make_user()
    _, first = service.issue(db, "it", "", SYSTEM)
    _, second = service.issue(db, "education", "", SYSTEM)
    expert = service.redeem(db, user, first, **PROFILE)
    again = service.redeem(db, user, second, kind="", name="", headline="", zone="", languages=())
    assert again is expert
    assert expert.name == "Jonas Weber"
    assert {held.category for held in expert.categories} == {"it", "education"}


def test_a_code_for_a_category_one_has_is_not_used_up(db: Session, make_user: MakeUser) -> None:
    user = make_user()
    _, first = service.issue(db, "it", "", SYSTEM)
    invitation, second = service.issue(db, "it", "", SYSTEM)
    service.redeem(db, user, first, **PROFILE)
    assert "in this field already" in refusal(db, second, user)
    assert invitation.used_at is None


def test_a_suspended_expert_gets_no_new_category(db: Session, make_user: MakeUser) -> None:
    user = make_user()
    _, first = service.issue(db, "it", "", SYSTEM)
    _, second = service.issue(db, "fashion", "", SYSTEM)
    service.redeem(db, user, first, **PROFILE).state = "suspended"
    db.flush()
    assert "suspended" in refusal(db, second, user)


def test_a_member_of_a_company_can_still_become_an_expert_alone(db: Session, make_user: MakeUser) -> None:
    _, first = service.issue(db, "it", "", SYSTEM)
    _, second = service.issue(db, "it", "", SYSTEM)
    company = service.redeem(db, make_user("boss@example.org"), first, **{**PROFILE, "kind": "company"})
    user = make_user()
    db.add(ExpertMember(expert_id=company.id, user_id=user.id, role="member"))
    db.flush()
    own = service.redeem(db, user, second, **PROFILE)
    assert own is not company
    assert own.slug != company.slug


def test_twenty_people_at_once_make_one_expert_of_one_code(runtime: Runtime) -> None:
    with runtime.database.write() as db:
        role = ensure_roles(db)["customer"]
        users = [User(email=f"person{n}@example.org", name="Jonas Weber", roles=[role]) for n in range(20)]
        db.add_all(users)
        db.flush()
        ids = [user.id for user in users]
        _, code = service.issue(db, "it", "", Actor("system", None, "test"))
    start = threading.Barrier(20)
    refused: list[str] = []
    wrong: list[BaseException] = []

    def run(user_id: int) -> None:
        start.wait()
        try:
            with runtime.database.write() as db:
                service.redeem(db, db.get_one(User, user_id), code, **PROFILE)
        except HelpoutsError as error:
            refused.append(str(error))
        except BaseException as error:  # a thread must not swallow what broke it
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(user_id,)) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(refused) == 19
    assert all("used already" in reason for reason in refused)
    with runtime.database.read() as db:
        assert db.scalar(select(func.count(Expert.id))) == 1
        assert db.scalar(select(func.count(ExpertMember.id))) == 1
        assert db.scalar(select(func.count(ExpertCategory.id))) == 1
        owner = db.scalars(select(ExpertMember)).one().user
        assert db.scalars(select(Invitation)).one().used_by == owner.id
        experts = [user for user in db.scalars(select(User)) if user.has_any_role("expert")]
        assert experts == [owner]


def test_one_person_with_two_codes_at_once_gets_one_profile_with_both(runtime: Runtime) -> None:
    with runtime.database.write() as db:
        user = User(email="jonas@example.org", name="Jonas Weber", roles=[ensure_roles(db)["customer"]])
        db.add(user)
        db.flush()
        user_id = user.id
        codes = [service.issue(db, slug, "", SYSTEM)[1] for slug in ("it", "fashion", "education", "home_garden")]
    start = threading.Barrier(len(codes))
    wrong: list[BaseException] = []

    def run(code: str) -> None:
        start.wait()
        try:
            with runtime.database.write() as db:
                service.redeem(db, db.get_one(User, user_id), code, **PROFILE)
        except BaseException as error:  # a thread must not swallow what broke it
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with runtime.database.read() as db:
        expert = db.scalars(select(Expert)).one()
        assert {held.category for held in expert.categories} == {"it", "fashion", "education", "home_garden"}


def test_an_application_that_was_declined_meanwhile_does_not_join(
    db: Session, apply: Apply, make_user: MakeUser
) -> None:
    application = apply()
    _, code = service.invite(db, application, SYSTEM)
    service.decline(db, application, "Changed our mind.", SYSTEM)
    assert "taken back" in refusal(db, code, make_user())
    assert db.get_one(Application, application.id).state == "declined"
