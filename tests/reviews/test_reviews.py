"""Reviews: by whom, once, within bounds; and what they do to the rating."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from helpouts.audit.actor import SYSTEM, Actor
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.reviews import service
from helpouts.sessions import service as sessions
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def finished(db):
    """A booking whose session took place."""
    clock.set(START - timedelta(hours=2))
    booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db), starts_at=START)
    session = sessions.session_of(db, booking)
    clock.set(START)
    rows = [sessions.join(db, session, user, "node", "") for user in (booking.host_id, booking.customer_id)]
    clock.advance(timedelta(minutes=5))
    sessions.seen(db, {row.id: clock.now() for row in rows})
    db.expire_all()
    sessions.end(db, session, "expert", SYSTEM)
    return booking


def customer(booking) -> Actor:
    return Actor("customer", booking.customer_id, "")


def test_a_review_counts_for_listing_and_expert(db, finished):
    service.publish(db, finished, 4, "  Quick and friendly.  ", customer(finished))
    assert service.review_of(db, finished).text == "Quick and friendly."
    assert (finished.listing.rating_sum, finished.listing.rating_count) == (4, 1)
    assert (finished.expert.rating_sum, finished.expert.rating_count) == (4, 1)


def test_a_session_is_reviewed_once(db, finished):
    service.publish(db, finished, 5, "", customer(finished))
    with pytest.raises(Conflict):
        service.publish(db, finished, 1, "", customer(finished))
    assert finished.listing.rating_count == 1


@pytest.mark.parametrize(("stars", "text", "field"), [(0, "", "stars"), (6, "", "stars"), (5, "x" * 2001, "text")])
def test_what_does_not_fit_is_refused_and_changes_nothing(db, finished, stars, text, field):
    with pytest.raises(HelpoutsError) as refused:
        service.publish(db, finished, stars, text, customer(finished))
    assert refused.value.field == field
    assert service.review_of(db, finished) is None
    assert finished.listing.rating_count == 0


def test_only_the_customer_of_a_session_that_took_place_reviews(db, finished):
    with pytest.raises(NotAllowed):
        service.publish(db, finished, 5, "", Actor("customer", make_user(db, "Eve X").id, ""))
    with pytest.raises(NotAllowed):
        service.publish(db, finished, 5, "", Actor("expert", finished.host_id, ""))
    coming = make_booking(db, finished.listing, make_customer(db, "Paul M."))
    with pytest.raises(NotAllowed):
        service.publish(db, coming, 5, "", customer(coming))


def test_the_expert_replies_once(db, finished):
    review = service.publish(db, finished, 3, "Late.", customer(finished))
    with pytest.raises(NotAllowed):
        service.reply(db, review, "No!", customer(finished))
    expert = Actor("expert", finished.host_id, "")
    with pytest.raises(HelpoutsError):
        service.reply(db, review, "   ", expert)
    service.reply(db, review, "I am sorry.", expert)
    with pytest.raises(Conflict):
        service.reply(db, review, "Again.", expert)
    assert review.reply == "I am sorry."


def test_a_hidden_review_does_not_count_until_it_is_shown_again(db, finished):
    operator = Actor("operator", None, "test")
    review = service.publish(db, finished, 1, "Spam", customer(finished))
    with pytest.raises(HelpoutsError):
        service.hide(db, review, " ", operator)
    service.hide(db, review, "advertising", operator)
    service.hide(db, review, "twice", operator)
    assert (finished.listing.rating_sum, finished.listing.rating_count) == (0, 0)
    service.show(db, review, "was a mistake", operator)
    assert (finished.expert.rating_sum, finished.expert.rating_count) == (1, 1)
