"""Reviews: only by the customer of a session that took place, once; the expert replies once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts import events
from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.reviews.models import Review

LONGEST = 2000


def review_of(db: Session, booking: Booking) -> Review | None:
    """The review of a booking, if there is one."""
    return db.scalar(select(Review).where(Review.booking_id == booking.id))


def may_review(db: Session, booking: Booking, user_id: int) -> bool:
    """Whether this person may write the review of this booking now."""
    return booking.customer_id == user_id and booking.state == "completed" and review_of(db, booking) is None


def publish(db: Session, booking: Booking, stars: int, text: str, actor: Actor) -> Review:
    """Write the review of a booking; it shows at once and counts at once.

    :raises NotAllowed: not the customer, or the session did not take place.
    :raises Conflict: there is one already.
    """
    if actor.user_id != booking.customer_id or booking.state != "completed":
        raise NotAllowed(_l("Only the customer of a session that took place can review it."))
    if review_of(db, booking) is not None:
        raise Conflict(_l("You have reviewed this session already."))
    text = text.strip()
    if not 1 <= stars <= 5:
        raise HelpoutsError(_l("Choose between 1 and 5 stars."), field="stars")
    if len(text) > LONGEST:
        raise HelpoutsError(_l("At most %(limit)s characters, please.", limit=LONGEST), field="text")
    review = Review(
        booking_id=booking.id,
        listing_id=booking.listing_id,
        expert_id=booking.expert_id,
        author_id=booking.customer_id,
        stars=stars,
        text=text,
    )
    db.add(review)
    _count(db, review, 1)
    db.flush()
    events.emit(db, "review_published", review_id=review.id)
    return review


def reply(db: Session, review: Review, text: str, actor: Actor) -> Review:
    """The expert's one reply.

    :raises NotAllowed: somebody else. :raises Conflict: replied already.
    """
    expert = db.get_one(Expert, review.expert_id)
    if actor.user_id not in {member.user_id for member in expert.members}:
        raise NotAllowed(_l("Only the expert can reply to this review."))
    if review.reply:
        raise Conflict(_l("You have replied already."))
    if not 1 <= len(text.strip()) <= LONGEST:
        raise HelpoutsError(_l("A reply has between 1 and %(limit)s characters.", limit=LONGEST), field="reply")
    review.reply, review.replied_at = text.strip(), clock.now()
    return review


def hide(db: Session, review: Review, reason: str, actor: Actor) -> Review:
    """An operator hides a review, with a reason that is audited; it stops counting."""
    if not reason.strip():
        raise HelpoutsError(_l("Give a reason."), field="reason")
    if review.state == "published":
        review.state = "hidden"
        _count(db, review, -1)
    record(db, actor, "review.hide", review, reason)
    return review


def show(db: Session, review: Review, reason: str, actor: Actor) -> Review:
    """An operator shows a hidden review again."""
    if review.state == "hidden":
        review.state = "published"
        _count(db, review, 1)
    record(db, actor, "review.show", review, reason)
    return review


def _count(db: Session, review: Review, sign: int) -> None:
    for thing in (db.get_one(Listing, review.listing_id), db.get_one(Expert, review.expert_id)):
        db.refresh(thing, with_for_update={"of": type(thing)})
        thing.rating_sum += sign * review.stars
        thing.rating_count += sign
