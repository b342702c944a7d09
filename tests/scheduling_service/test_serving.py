"""Several lengths, several members: who serves, and in which order they are asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from people import MORNINGS, NOW, at, booked, offer, person, starts
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.catalog.models import Listing
from helpouts.catalog.serving import members_of, save_serving
from helpouts.clock import clock
from helpouts.errors import HelpoutsError, NotAllowed
from helpouts.scheduling import service

TUESDAY = at("2026-11-24 09:00")


@pytest.fixture(autouse=True)
def monday() -> None:
    clock.set(NOW)


def company(db: Session, *names: str) -> tuple[Listing, list[int], Actor]:
    """A listing, its expert's members, who all work in the morning, and the owner as actor."""
    listing = offer(db, *names)
    ids = [member.user_id for member in listing.expert.members]
    for user_id in ids:
        service.save_schedule(db, user_id, "UTC", MORNINGS, step_minutes=60, minimum_notice_minutes=0)
    return listing, ids, Actor("expert", ids[0], "owner")


def test_each_length_has_its_own_free_times_and_price(db: Session) -> None:
    listing = offer(db, "ada", pricing="fixed", price_minor=1000, more_lengths=[[120, 1800]])
    host = listing.expert.owner.id
    service.save_schedule(db, host, "UTC", MORNINGS, step_minutes=60, minimum_notice_minutes=0)
    assert starts(db, listing, "2026-11-24") == ["09:00", "10:00", "11:00"]
    assert starts(db, listing, "2026-11-24", length_minutes=120) == ["09:00", "10:00"]
    assert service.free_hosts(db, listing, at("2026-11-24 11:00"), length_minutes=120) == []
    assert (listing.price_of(60), listing.price_of(120)) == (1000, 1800)
    for ask in (lambda: listing.price_of(90), lambda: starts(db, listing, "2026-11-24", length_minutes=90)):
        with pytest.raises(HelpoutsError) as refusal:
            ask()
        assert refusal.value.field == "length"


@pytest.mark.parametrize(("pricing", "price"), [("free", 0), ("per_minute", 90)])
def test_lengths_without_a_price_of_their_own_cost_what_the_listing_says(db: Session, pricing: str, price: int) -> None:
    listing = offer(db, "ada", pricing=pricing, price_minor=price, more_lengths=[[30, None], [120, None]])
    assert listing.offered() == ((60, price), (30, price), (120, price))
    assert listing.price_of(120) == price


def test_a_listing_that_was_just_made_has_one_length(db: Session) -> None:
    assert Listing(length_minutes=30, price_minor=100).offered() == ((30, 100),)


def test_the_fair_rule_takes_who_worked_least_in_thirty_days_then_who_is_idle_longest(db: Session) -> None:
    listing, (ada, bo, cy), _owner = company(db, "ada", "bo", "cy")
    booked(db, listing, ada, NOW - timedelta(days=31), minutes=400)  # too long ago to count
    booked(db, listing, ada, NOW - timedelta(days=2), minutes=60)
    booked(db, listing, bo, NOW - timedelta(days=3), minutes=60)
    booked(db, listing, bo, NOW - timedelta(days=1), state="cancelled", minutes=200)
    assert service.free_hosts(db, listing, TUESDAY) == [cy, bo, ada]
    booked(db, listing, cy, at("2026-11-26 09:00"), minutes=90)  # booked ahead counts, too
    assert service.free_hosts(db, listing, TUESDAY) == [bo, ada, cy]


def test_work_for_another_expert_does_not_count(db: Session) -> None:
    listing, (ada, bo), _owner = company(db, "ada", "bo")
    other = offer(db, "zoe")
    booked(db, other, ada, NOW - timedelta(days=2))
    booked(db, listing, bo, NOW - timedelta(days=3))
    assert service.free_hosts(db, listing, TUESDAY) == [ada, bo]


def test_by_priority_the_first_who_is_free_is_taken_however_much_they_worked(db: Session) -> None:
    listing, (ada, bo, cy), owner = company(db, "ada", "bo", "cy")
    version = listing.version
    save_serving(db, listing, "priority", False, [cy, ada, bo], owner)
    assert listing.version > version, "so that a booking that is being made looks again"
    booked(db, listing, cy, NOW - timedelta(days=2))
    assert service.free_hosts(db, listing, TUESDAY) == [cy, ada, bo]
    booked(db, listing, cy, TUESDAY)
    assert service.free_hosts(db, listing, TUESDAY) == [ada, bo]
    save_serving(db, listing, "priority", False, [], owner)
    assert service.free_hosts(db, listing, at("2026-11-25 09:00")) == [ada, bo, cy], "the owner, then as they joined"


def test_only_the_members_of_the_listing_serve_it(db: Session) -> None:
    listing, (ada, bo, cy), owner = company(db, "ada", "bo", "cy")
    service.save_schedule(db, ada, "UTC", [], step_minutes=60)
    save_serving(db, listing, "any", False, [bo], owner)
    assert members_of(db, listing) == [bo]
    assert service.free_hosts(db, listing, TUESDAY) == [bo]
    booked(db, listing, bo, TUESDAY)
    assert starts(db, listing, "2026-11-24") == ["10:00", "11:00"]
    assert service.next_free(db, [listing], TUESDAY) == {listing.id: at("2026-11-24 10:00")}
    assert service.free_hosts(db, listing, at("2026-11-24 10:00"), host_id=cy) == []


def test_a_customer_may_ask_for_somebody_only_where_the_listing_says_so(db: Session) -> None:
    listing, (ada, bo, cy), owner = company(db, "ada", "bo", "cy")
    service.save_schedule(db, cy, "UTC", [])
    assert service.choices(db, listing) == []
    save_serving(db, listing, "any", True, [], owner)
    assert [user.id for user in service.choices(db, listing)] == [ada, bo], "who has no hours never serves"
    booked(db, listing, bo, TUESDAY)
    assert starts(db, listing, "2026-11-24", host_id=bo) == ["10:00", "11:00"]
    save_serving(db, listing, "any", True, [bo], owner)
    assert service.choices(db, listing) == [], "one is no choice"


def test_whoever_has_left_or_is_locked_out_does_not_serve(db: Session) -> None:
    listing, (ada, bo), owner = company(db, "ada", "bo")
    save_serving(db, listing, "priority", False, [bo, ada], owner)
    member = next(member for member in listing.expert.members if member.user_id == bo)
    member.user.active = False
    db.flush()
    assert service.free_hosts(db, listing, TUESDAY) == [ada]
    member.user.active = True
    db.delete(member)
    db.flush()
    assert service.free_hosts(db, listing, TUESDAY) == [ada]


def test_who_serves_is_said_by_editors_and_must_make_sense(db: Session) -> None:
    listing, (ada, bo), owner = company(db, "ada", "bo")
    stranger = person(db, "stranger").id
    with pytest.raises(NotAllowed):
        save_serving(db, listing, "any", False, [], Actor("expert", bo, "bo"))
    with pytest.raises(HelpoutsError) as refusal:
        save_serving(db, listing, "any", False, [ada, stranger], owner)
    assert refusal.value.field == "members"
    with pytest.raises(HelpoutsError) as refusal:
        save_serving(db, listing, "dice", False, [], owner)
    assert refusal.value.field == "serving"


def test_a_customer_asks_by_name_only_where_the_listing_offers_it(db: Session) -> None:
    listing, (ada, bo), _owner = company(db, "ada", "bo")
    assert service.asked_for(db, listing, None) is None
    with pytest.raises(HelpoutsError) as refusal:
        service.asked_for(db, listing, bo)
    assert refusal.value.field == "host"
    listing.host_choice = True
    assert [service.asked_for(db, listing, user_id) for user_id in (ada, bo)] == [ada, bo]
    with pytest.raises(HelpoutsError):
        service.asked_for(db, listing, 999_999)
