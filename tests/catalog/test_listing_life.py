"""From draft to live and back, and who may do what."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from shop import good_values, make_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM, Actor
from helpouts.audit.models import AuditEntry, Transition
from helpouts.catalog import service
from helpouts.catalog.models import Expert, ExpertMember, Listing
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.jobs.models import Job


@pytest.fixture
def draft(db: Session, expert: Expert, author: Actor) -> Listing:
    return service.create_listing(db, expert, good_values(), author)


@pytest.fixture
def live(db: Session, draft: Listing, author: Actor, curator: Actor) -> Listing:
    service.submit(db, draft, author)
    service.approve(db, draft, curator)
    db.flush()
    return draft


def test_a_listing_goes_from_draft_to_live(db: Session, live: Listing) -> None:
    assert live.state == "live"
    assert live.published_at is not None
    steps = db.scalars(select(Transition.event).where(Transition.machine == "listing").order_by(Transition.id))
    assert list(steps) == ["submit", "approve"]


def test_a_rule_that_says_no_keeps_it_a_draft_and_gives_its_reasons(
    db: Session, draft: Listing, author: Actor, outside: SimpleNamespace
) -> None:
    outside.verdicts = [
        SimpleNamespace(outcome="pass", reasons=[]),
        SimpleNamespace(outcome="fail", reasons=["Take the phone number out."]),
    ]
    with pytest.raises(HelpoutsError, match="Take the phone number out"):
        service.submit(db, draft, author)
    assert draft.state == "draft"


def test_a_rule_that_wants_a_person_lets_it_into_review(
    db: Session, draft: Listing, author: Actor, outside: SimpleNamespace
) -> None:
    outside.verdicts = [SimpleNamespace(outcome="person", reasons=[])]
    service.submit(db, draft, author)
    assert draft.state == "in_review"


def test_no_paid_listing_is_handed_in_before_its_expert_can_be_paid(
    db: Session, draft: Listing, author: Actor, outside: SimpleNamespace
) -> None:
    outside.ready = False
    with pytest.raises(HelpoutsError) as refusal:
        service.submit(db, draft, author)
    assert refusal.value.field == "wallet"
    service.edit_listing(db, draft, good_values(pricing="free"), author)
    service.submit(db, draft, author)
    assert draft.state == "in_review"


def test_no_paid_listing_goes_live_when_its_expert_can_no_longer_be_paid(
    db: Session, draft: Listing, author: Actor, curator: Actor, outside: SimpleNamespace
) -> None:
    service.submit(db, draft, author)
    outside.ready = False
    with pytest.raises(HelpoutsError):
        service.approve(db, draft, curator)
    assert draft.state == "in_review"


def test_the_edit_of_a_live_listing_waits_while_the_approved_one_stays(
    db: Session, live: Listing, author: Actor, curator: Actor, outside: SimpleNamespace
) -> None:
    service.edit_listing(db, live, good_values(title="Fix your bicycle gears", price_minor=3000), author)
    assert (live.state, live.title, live.price_minor) == ("live", "Fix your bicycle brakes", 2500)
    assert live.pending == {"title": "Fix your bicycle gears", "price_minor": 3000}
    assert outside.judged[-1] == ("listing", "Fix your bicycle gears")
    assert service.pending_version(live).title == "Fix your bicycle gears"
    service.approve(db, live, curator)
    db.flush()
    assert (live.title, live.price_minor, live.pending) == ("Fix your bicycle gears", 3000, None)
    assert live.slug == "fix-your-bicycle-brakes", "addresses that were shared go on working"


def test_a_declined_edit_leaves_the_live_listing_as_it_was(
    db: Session, live: Listing, author: Actor, curator: Actor
) -> None:
    service.edit_listing(db, live, good_values(title="Fix your bicycle gears"), author)
    service.decline_listing(db, live, "We do not allow gears.", curator)
    assert (live.state, live.title, live.pending) == ("live", "Fix your bicycle brakes", None)


def test_an_edit_that_a_rule_refuses_is_not_kept(
    db: Session, live: Listing, author: Actor, outside: SimpleNamespace
) -> None:
    outside.verdicts = [SimpleNamespace(outcome="fail", reasons=["No."])]
    with pytest.raises(HelpoutsError):
        service.edit_listing(db, live, good_values(title="Call me on my phone"), author)
    assert live.pending is None


def test_an_edit_that_changes_nothing_waits_for_nobody(db: Session, live: Listing, author: Actor) -> None:
    service.edit_listing(db, live, good_values(title="Fix your bicycle gears"), author)
    service.edit_listing(db, live, good_values(), author)
    assert live.pending is None


def test_the_category_of_a_listing_cannot_be_changed(db: Session, draft: Listing, author: Actor) -> None:
    service.edit_listing(db, draft, good_values(category="music"), author)
    assert draft.category == "repair"


def test_a_listing_in_review_is_judged_again_when_it_is_changed(
    db: Session, draft: Listing, author: Actor, outside: SimpleNamespace
) -> None:
    service.submit(db, draft, author)
    service.edit_listing(db, draft, good_values(title="Fix your bicycle gears"), author)
    assert outside.judged[-1] == ("listing", "Fix your bicycle gears")
    assert draft.state == "in_review"


def test_an_operator_approves_only_what_they_have_seen(
    db: Session, draft: Listing, author: Actor, curator: Actor
) -> None:
    service.submit(db, draft, author)
    db.flush()
    seen = draft.version
    service.edit_listing(db, draft, good_values(title="Something else entirely"), author)
    with pytest.raises(Conflict):
        service.approve(db, draft, curator, version=seen)


def test_a_declined_listing_can_be_changed_and_handed_in_again(
    db: Session, draft: Listing, author: Actor, curator: Actor
) -> None:
    service.submit(db, draft, author)
    service.decline_listing(db, draft, "Say which bicycles you know.", curator)
    assert draft.state == "declined"
    service.edit_listing(db, draft, good_values(title="Fix your racing bicycle"), author)
    service.submit(db, draft, author)
    assert draft.state == "in_review"


def test_a_suspended_listing_can_be_edited_and_reinstated(
    db: Session, live: Listing, author: Actor, curator: Actor
) -> None:
    service.suspend(db, live, "Somebody complained.", curator)
    service.edit_listing(db, live, good_values(title="Fix your racing bicycle"), author)
    assert (live.state, live.title) == ("suspended", "Fix your racing bicycle")
    with pytest.raises(Conflict):
        service.submit(db, live, author)
    service.reinstate(db, live, "All is well again.", curator)
    assert live.state == "live"


@pytest.mark.parametrize("verb", [service.decline_listing, service.suspend])
@pytest.mark.parametrize("reason", ["", "   ", "no"])
def test_operators_give_reasons(
    db: Session, live: Listing, author: Actor, curator: Actor, verb: object, reason: str
) -> None:
    service.edit_listing(db, live, good_values(title="Fix your racing bicycle"), author)
    with pytest.raises(HelpoutsError) as refusal:
        verb(db, live, reason, curator)  # type: ignore[operator]  # a service function
    assert refusal.value.field == "reason"
    assert live.state == "live"


def test_every_operator_action_is_in_the_audit_trail(
    db: Session, live: Listing, expert: Expert, author: Actor, curator: Actor
) -> None:
    service.suspend(db, live, "Somebody complained.", curator)
    service.reinstate(db, live, "All is well again.", curator)
    service.retire(db, live, "The expert asked for it.", curator)
    service.suspend_expert(db, expert, "Several complaints.", curator)
    service.reinstate_expert(db, expert, "Settled.", curator)
    actions = [(e.action, e.reason) for e in db.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    assert actions == [
        ("listing.approve", ""),
        ("listing.suspend", "Somebody complained."),
        ("listing.reinstate", "All is well again."),
        ("listing.retire", "The expert asked for it."),
        ("expert.suspend", "Several complaints."),
        ("expert.reinstate", "Settled."),
    ]


@pytest.mark.parametrize("role", ["member", None])
def test_only_owner_and_managers_write_listings(db: Session, draft: Listing, expert: Expert, role: str | None) -> None:
    stranger = make_user(db, "Stranger")
    if role:
        expert.members.append(ExpertMember(user=stranger, role=role))
        db.flush()
    actor = Actor("expert", stranger.id, stranger.email)
    for act in (
        lambda: service.create_listing(db, expert, good_values(title="My own listing"), actor),
        lambda: service.edit_listing(db, draft, good_values(), actor),
        lambda: service.submit(db, draft, actor),
        lambda: service.retire(db, draft, "", actor),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_experts_cannot_approve_their_own_listings(db: Session, draft: Listing, author: Actor) -> None:
    service.submit(db, draft, author)
    with pytest.raises(NotAllowed):
        service.approve(db, draft, author)
    assert draft.state == "in_review"


def test_a_suspended_expert_hands_nothing_in(
    db: Session, draft: Listing, expert: Expert, author: Actor, curator: Actor
) -> None:
    service.suspend_expert(db, expert, "Several complaints.", curator)
    service.edit_listing(db, draft, good_values(title="Fix your racing bicycle"), author)
    with pytest.raises(NotAllowed):
        service.submit(db, draft, author)


def test_a_retired_listing_stays_retired(db: Session, live: Listing, author: Actor) -> None:
    service.retire(db, live, "", author)
    with pytest.raises(Conflict):
        service.edit_listing(db, live, good_values(), author)
    with pytest.raises(Conflict):
        service.submit(db, live, author)
    again = service.create_listing(db, live.expert, good_values(), author)
    assert again.slug == "fix-your-bicycle-brakes-2"


def test_the_demo_may_write_listings_for_experts(db: Session, expert: Expert) -> None:
    listing = service.create_listing(db, expert, good_values(), SYSTEM)
    service.submit(db, listing, SYSTEM)
    service.approve(db, listing, SYSTEM)
    assert service.is_open(db, listing)


def test_a_user_acts_for_the_expert_they_own_before_any_they_joined(db: Session, expert: Expert) -> None:
    from shop import make_expert

    company = make_expert(db, "Wrench Limited", kind="company")
    user = make_user(db, "Cy")
    assert service.expert_of(db, user) is None
    company.members.append(ExpertMember(user=user, role="member"))
    db.flush()
    assert service.expert_of(db, user) is company
    company.members.append(ExpertMember(user=expert.owner, role="manager"))
    db.flush()
    assert service.expert_of(db, expert.owner) is expert


def test_the_expert_is_told_what_was_decided_and_why(db: Session, live: Listing, author: Actor, curator: Actor) -> None:
    service.edit_listing(db, live, good_values(title="Fix your racing bicycle"), author)
    service.decline_listing(db, live, "We do not allow racing.", curator)
    service.suspend(db, live, "Somebody complained.", curator)
    service.reinstate(db, live, "", curator)
    mails = [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))]
    assert {mail["to"] for mail in mails} == {live.expert.owner.email}
    assert [mail["subject"] for mail in mails] == [
        "“Fix your bicycle brakes” is live",
        "Your changes of “Fix your bicycle brakes” were not taken over",
        "“Fix your bicycle brakes” is off the site for now",
        "“Fix your bicycle brakes” is back on the site",
    ]
    assert "We do not allow racing." in mails[1]["body"]
    assert "Somebody complained." in mails[2]["body"]
