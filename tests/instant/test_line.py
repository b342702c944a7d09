"""The line in front of a busy expert: who is next, and how long it takes at most."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpouts.clock import clock
from helpouts.instant import asking, driving, line, matching, offers, presence
from helpouts.scheduling.service import schedule_of
from helpouts.sessions.service import end, session_of

from .conftest import actor

MINUTE = timedelta(minutes=1)


def ended(db, booking):
    """The session is over, at this moment."""
    from helpouts.audit.actor import SYSTEM

    end(db, session_of(db, booking), "expert", SYSTEM)
    db.flush()


def test_places_are_given_in_the_order_of_asking_and_waits_add_up(db, desk):
    listing = desk.expert()
    clock.set(clock.now())
    desk.accept(desk.ask(listing=listing))
    waiting = [desk.ask(listing=listing) for _ in range(3)]
    places = [line.place_of(db, request) for request in waiting]
    assert [place.number for place in places] == [1, 2, 3]
    assert [place.minutes(clock.now()) for place in places] == [30, 60, 90]


def test_the_wait_shrinks_as_the_session_goes_on_and_keeps_the_pause(db, desk):
    listing = desk.expert()
    clock.set(clock.now())
    schedule_of(db, listing.expert.owner.id).buffer_after = 10
    desk.accept(desk.ask(listing=listing))
    request = desk.ask(listing=listing)
    assert line.place_of(db, request).minutes(clock.now()) == 40
    clock.advance(20 * MINUTE)
    presence.beat(db, "n1", [listing.expert.owner.id])
    assert line.place_of(db, request).minutes(clock.now()) == 20


def test_when_a_session_ends_the_first_in_the_line_rings_and_the_others_move_up(db, desk):
    listing = desk.expert()
    booking = desk.accept(desk.ask(listing=listing))
    first, second = desk.ask(listing=listing), desk.ask(listing=listing)
    assert not driving.is_due(db)
    ended(db, booking)
    assert driving.is_due(db)
    driving.drive(db)
    assert (first.state, second.state) == ("ringing", "waiting")
    assert line.place_of(db, second).number == 1
    assert line.place_of(db, first) is None


def test_leaving_the_line_moves_the_others_up_and_gives_the_money_back(db, desk):
    from helpouts.payments.verify import violations

    listing = desk.expert()
    desk.accept(desk.ask(listing=listing))
    first, second = desk.ask(listing=listing), desk.ask(listing=listing)
    asking.withdraw(db, first, actor(first.customer))
    assert line.place_of(db, second).number == 1
    assert violations(db) == ()


def test_nobody_who_asks_later_overtakes_the_line(db, desk):
    listing = desk.expert()
    booking = desk.accept(desk.ask(listing=listing))
    first = desk.ask(listing=listing)
    ended(db, booking)
    later = desk.ask(listing=listing)  # before anything has noticed that the expert is free
    assert (first.state, later.state) == ("ringing", "waiting")


@pytest.mark.parametrize(("others", "state"), [(True, "ringing"), (False, "waiting")])
def test_falling_over_to_another_expert_only_where_the_customer_allows_it(db, desk, others, state):
    listing = desk.expert()
    desk.accept(desk.ask(listing=listing))
    desk.expert("Other")
    assert desk.ask(listing=listing, others=others).state == state


def test_two_experts_share_a_line_in_a_field(db, desk):
    for _ in range(2):
        desk.expert()
    clock.set(clock.now())
    for _ in range(2):
        desk.accept(desk.ask())
    waits = [line.place_of(db, desk.ask()) for _ in range(3)]
    assert [(place.number, place.minutes(clock.now())) for place in waits] == [(1, 30), (2, 30), (3, 60)]


def test_the_form_shows_the_place_that_one_would_get(db, desk):
    listing = desk.expert()
    assert offers.outlook(db, offers.wish_for(listing)).state == "free"
    clock.set(clock.now())
    desk.accept(desk.ask(listing=listing))
    desk.ask(listing=listing)
    outlook = offers.outlook(db, offers.wish_for(listing))
    assert (outlook.state, outlook.place.number, outlook.place.minutes(clock.now())) == ("busy", 2, 60)
    presence.turn(db, listing.expert.owner.id, False)
    assert offers.outlook(db, offers.wish_for(listing)).state == "empty"


def test_a_line_whose_expert_leaves_is_over_and_the_money_is_back(db, desk):
    listing = desk.expert()
    booking = desk.accept(desk.ask(listing=listing))
    request = desk.ask(listing=listing)
    presence.turn(db, listing.expert.owner.id, False)
    ended(db, booking)
    driving.drive(db)
    assert request.state == "unanswered"


def test_limits_of_a_field_come_from_the_prices_of_those_who_are_there(db, desk):
    desk.expert(price_minor=1000)
    desk.expert(price_minor=4000)
    desk.expert(price_minor=9000, on=False)
    desk.expert(pricing="per_minute", price_minor=100)
    caps = offers.caps(db, "it", "", 0)
    assert [value for value, _label in caps] == ["EUR:4000", "EUR:3000", "EUR:1000"]
    assert [label.rpartition("· ")[2] for _value, label in caps] == ["3 offers", "2 offers", "1 offer"]


def test_the_cheapest_fitting_listing_of_a_person_is_offered(db, desk):
    from helpouts.testing.factories import make_listing

    dear = desk.expert(price_minor=4000)
    cheap = make_listing(db, dear.expert, price_minor=1000)
    wish = matching.Wish(0, None, "it", "", 5000, "EUR", True)
    [candidate] = matching.candidates(db, wish, clock.now())
    assert candidate.listing.id == cheap.id
