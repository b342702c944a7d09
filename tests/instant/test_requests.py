"""A request from the click to the room: who rings, in which order, and what becomes of the money."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from helpouts.audit.actor import Actor
from helpouts.clock import clock
from helpouts.errors import Conflict, NotAllowed, NotFound, Unavailable
from helpouts.instant import answering, asking, driving, presence
from helpouts.instant.models import AvailableSwitch, InstantOffer
from helpouts.payments import ledger, verify
from helpouts.payments.backend import Declined
from helpouts.payments.service import payment_of
from helpouts.sessions.service import end, session_of
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user

from .conftest import actor, there

SECOND = timedelta(seconds=1)


def wallet(db, customer):
    return ledger.balance(db, f"wallet:{customer.id}", "EUR")


def balanced(db):
    db.flush()
    return not verify.violations(db)


def test_asking_holds_the_money_and_rings(db, desk):
    listing, customer = desk.expert(), desk.customer()
    before = wallet(db, customer)
    request = desk.ask(customer, listing)
    offer = desk.ringing(request)
    assert (request.state, offer.user_id) == ("ringing", listing.expert.owner.id)
    assert offer.until == offer.rung_at + 60 * SECOND
    assert wallet(db, customer) == before - 2500
    assert request.booking.state == "requested"
    assert session_of(db, request.booking) is None


def test_accepting_makes_the_guarded_booking_and_opens_the_room(db, desk):
    listing = desk.expert()
    request = desk.ask(listing=listing)
    booking = desk.accept(request)
    assert (request.state, booking.state, booking.kind) == ("accepted", "confirmed", "instant")
    assert booking.host_id == listing.expert.owner.id
    assert booking.ends_at - booking.starts_at == timedelta(minutes=30)
    assert session_of(db, booking).state == "scheduled"
    assert payment_of(db, booking.id).payee_id == booking.host_id
    assert balanced(db)


def test_the_expert_who_was_asked_longest_ago_is_asked_first(db, desk):
    first, second = desk.expert("Anna A"), desk.expert("Ben B")
    asked = [desk.ringing(desk.ask()).user_id for _ in range(2)]
    assert set(asked) == {first.expert.owner.id, second.expert.owner.id}
    db.get(AvailableSwitch, first.expert.owner.id).last_rung_at = clock.now() - timedelta(hours=1)
    db.get(AvailableSwitch, second.expert.owner.id).last_rung_at = clock.now() - timedelta(hours=2)
    for offer in db.scalars(select(InstantOffer).where(InstantOffer.state == "ringing")).unique():
        answering.accept(db, offer, Actor("expert", offer.user_id, ""))
    for booking in (offer.request.booking for offer in db.scalars(select(InstantOffer)).unique()):
        end(db, session_of(db, booking), "expert", Actor("expert", booking.host_id, ""))
    assert desk.ringing(desk.ask()).user_id == second.expert.owner.id


def test_after_a_minute_the_next_expert_is_asked_and_after_the_last_the_money_goes_back(db, desk):
    first, second, customer = desk.expert(), desk.expert(), desk.customer()
    before = wallet(db, customer)
    request = desk.ask(customer)
    asked = [desk.ringing(request).user_id]
    clock.advance(59 * SECOND)
    stay(db, first, second, request)
    driving.drive(db)
    assert desk.ringing(request).user_id == asked[0]
    clock.advance(2 * SECOND)
    assert driving.is_due(db)
    driving.drive(db)
    asked.append(desk.ringing(request).user_id)
    assert set(asked) == {first.expert.owner.id, second.expert.owner.id}
    clock.advance(61 * SECOND)
    stay(db, first, second, request)
    driving.drive(db)
    assert (request.state, request.booking.state) == ("unanswered", "expired")
    assert wallet(db, customer) == before
    assert balanced(db)


def stay(db, *things):
    """Devices and customers are still there."""
    for thing in things:
        if hasattr(thing, "customer_id"):
            asking.hear(db, thing.customer_id)
        else:
            presence.beat(db, "n1", [thing.expert.owner.id])


def test_a_declined_request_goes_on_at_once_and_never_back(db, desk):
    first, second = desk.expert(), desk.expert()
    request = desk.ask()
    one = desk.ringing(request).user_id
    desk.decline(request)
    other = desk.ringing(request).user_id
    assert {one, other} == {first.expert.owner.id, second.expert.owner.id}
    desk.decline(request)
    assert request.state == "unanswered"
    assert balanced(db)


def test_from_a_listing_only_its_expert_is_asked_unless_others_may(db, desk):
    wanted, other = desk.expert(), desk.expert()
    request = desk.ask(listing=wanted)
    desk.decline(request)
    assert request.state == "unanswered"
    request = desk.ask(listing=wanted, others=True)
    assert desk.ringing(request).user_id == wanted.expert.owner.id
    desk.decline(request)
    assert desk.ringing(request).user_id == other.expert.owner.id


@pytest.mark.parametrize(("most", "rings"), [(2499, False), (2500, True)])
def test_nobody_above_the_price_is_asked(db, desk, most, rings):
    desk.expert()
    if rings:
        assert desk.ask(most_minor=most).state == "ringing"
    else:
        with pytest.raises(asking.NobodyThere):
            desk.ask(most_minor=most)


def test_only_what_the_accepting_expert_costs_is_captured(db, desk):
    listing, customer = desk.expert(price_minor=1200), desk.customer()
    before = wallet(db, customer)
    booking = desk.accept(desk.ask(customer, most_minor=3000))
    assert booking.amount_minor == 1200
    booking.state = "in_session"
    from helpouts.payments.service import settle_booking

    settle_booking(db, booking, 600, Actor("system", None, ""))
    assert wallet(db, customer) == before - 1200
    assert ledger.balance(db, f"earn_pending:{listing.expert.owner.id}", "EUR") == 960
    assert balanced(db)


def test_a_free_expert_gives_the_held_money_back_at_once(db, desk):
    desk.expert(pricing="free", price_minor=0)
    customer = desk.customer()
    before = wallet(db, customer)
    booking = desk.accept(desk.ask(customer, most_minor=3000))
    assert (booking.amount_minor, wallet(db, customer)) == (0, before)
    assert balanced(db)


def test_free_listings_need_no_wallet(db, desk):
    listing = desk.expert(pricing="free", price_minor=0)
    poor = make_user(db, "Paul Poor")
    assert desk.accept(desk.ask(poor, listing)).state == "confirmed"


def test_without_the_money_nothing_rings(db, desk):
    listing = desk.expert(price_minor=100_000_00)
    customer = desk.customer()
    with pytest.raises(Declined, match="top it up"), db.begin_nested():
        desk.ask(customer, listing)
    assert db.scalar(select(func.count()).select_from(InstantOffer)) == 0
    assert asking.open_request(db, customer.id) is None


def test_without_a_wallet_nothing_rings(db, desk):
    listing = desk.expert()
    with pytest.raises(Declined, match="wallet"), db.begin_nested():
        desk.ask(make_user(db, "Paul Poor"), listing)
    assert db.scalar(select(func.count()).select_from(InstantOffer)) == 0


def test_withdrawing_costs_nothing_and_stops_the_ring(db, desk):
    listing, customer = desk.expert(), desk.customer()
    before = wallet(db, customer)
    request = desk.ask(customer, listing)
    offer = desk.ringing(request)
    asking.withdraw(db, request, actor(customer))
    asking.withdraw(db, request, actor(customer))
    assert (request.state, request.booking.state, offer.state) == ("withdrawn", "cancelled", "stopped")
    assert wallet(db, customer) == before
    with pytest.raises(Conflict, match="does not need help any more"):
        answering.accept(db, offer, Actor("expert", offer.user_id, ""))


def test_after_accepting_it_cannot_be_withdrawn(db, desk):
    customer = desk.customer()
    request = desk.ask(customer, desk.expert())
    desk.accept(request)
    with pytest.raises(Conflict, match="accepted"):
        asking.withdraw(db, request, actor(customer))


def test_a_customer_asks_once_at_a_time_and_a_double_click_is_one_request(db, desk):
    listing, customer = desk.expert(), desk.customer()
    request = desk.ask(customer, listing, idempotency_key="k")
    assert desk.ask(customer, listing, idempotency_key="k") is request
    with pytest.raises(Conflict, match="already"):
        desk.ask(customer, listing, idempotency_key="other")


def test_nobody_is_rung_by_two_requests_at_once(db, desk):
    desk.expert()
    first, second = desk.ask(), desk.ask()
    assert (first.state, second.state) == ("ringing", "waiting")


def test_the_second_device_hears_that_the_first_has_answered(db, desk):
    request = desk.ask(listing=desk.expert())
    offer = desk.ringing(request)
    me = Actor("expert", offer.user_id, "")
    answering.accept(db, offer, me)
    with pytest.raises(Conflict, match="another device"):
        answering.accept(db, offer, me)
    with pytest.raises(Conflict, match="another device"):
        answering.decline(db, offer, me)


def test_an_offer_cannot_be_taken_after_its_time_even_before_anybody_noticed(db, desk):
    request = desk.ask(listing=desk.expert())
    clock.advance(61 * SECOND)
    with pytest.raises(Conflict, match="time to answer is over"):
        desk.accept(request)


def test_an_offer_is_nobody_elses(db, desk):
    request = desk.ask(listing=desk.expert())
    offer = desk.ringing(request)
    with pytest.raises(NotFound):
        answering.own_offer(db, offer.public_id, request.customer_id)


def test_two_missed_rings_turn_the_switch_off(db, desk):
    listing = desk.expert()
    for _ in range(2):
        request = desk.ask(listing=listing)
        clock.advance(61 * SECOND)
        stay(db, listing, request)
        driving.drive(db)
        assert request.state == "unanswered"
    assert not presence.is_on(db, listing.expert.owner.id)


def test_a_customer_who_vanishes_loses_the_place_after_the_grace_time(db, desk):
    customer = desk.customer()
    before = wallet(db, customer)
    desk.accept(desk.ask(listing=(listing := desk.expert())))
    waiting = desk.ask(customer, listing)
    clock.advance(100 * SECOND)
    stay(db, listing)
    driving.drive(db)
    assert waiting.state == "waiting"
    clock.advance(30 * SECOND)
    stay(db, listing)
    assert driving.is_due(db)
    driving.drive(db)
    assert (waiting.state, wallet(db, customer)) == ("lapsed", before)


def test_nobody_there_is_said_before_any_money_moves(db, desk):
    listing, customer = desk.expert(on=False), desk.customer()
    before = wallet(db, customer)
    with pytest.raises(asking.NobodyThere):
        desk.ask(customer, listing)
    assert wallet(db, customer) == before


def test_a_customer_with_a_session_now_is_refused(db, desk):
    customer, listing = desk.customer(), desk.expert()
    booking = make_booking(db, make_listing(db, make_expert(db)), customer)
    booking.starts_at, booking.ends_at = clock.now() + timedelta(minutes=5), clock.now() + timedelta(minutes=35)
    db.flush()
    with pytest.raises(Conflict, match="session now"):
        desk.ask(customer, listing)


def test_nobody_asks_themselves(db, desk):
    listing = desk.expert()
    with pytest.raises(NotAllowed):
        desk.ask(listing.expert.owner, listing)


def test_a_listing_that_is_not_live_cannot_be_asked(db, desk):
    listing = desk.expert()
    listing.state = "suspended"
    db.flush()
    with pytest.raises(Unavailable):
        desk.ask(listing=listing)


def test_the_pause_between_sessions_is_kept(db, desk):
    from helpouts.scheduling.service import schedule_of

    listing = desk.expert()
    schedule_of(db, listing.expert.owner.id).buffer_before = 15
    booking = make_booking(db, listing, make_customer(db))
    booking.starts_at = clock.now() + timedelta(minutes=40)
    booking.ends_at = clock.now() + timedelta(minutes=70)
    db.flush()
    assert desk.ask(listing=listing).state == "waiting"


def test_a_booking_that_comes_in_between_makes_accepting_fail_and_the_search_go_on(db, desk):
    first, second = desk.expert(), desk.expert()
    request = desk.ask()
    offer = desk.ringing(request)
    busy = first if first.expert.owner.id == offer.user_id else second
    booking = make_booking(db, busy, make_customer(db))
    booking.starts_at, booking.ends_at = clock.now(), clock.now() + timedelta(minutes=30)
    db.flush()
    with pytest.raises(Conflict) as refused, db.begin_nested():
        answering.accept(db, offer, Actor("expert", offer.user_id, ""))
    db.expire_all()
    answering.skip(db, offer, refused.value)
    assert offer.state == "stopped"
    assert desk.ringing(request).user_id != offer.user_id
    assert there(db, first.expert)
