"""The experts' side of posted requests: the board of their fields, and answering."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, selectinload

from helpouts.audit.actor import Actor
from helpouts.catalog.models import Expert, Listing
from helpouts.catalog.service import is_open
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, NotFound
from helpouts.i18n import lazy_gettext as _l
from helpouts.notices.choices import wants
from helpouts.notices.service import notify
from helpouts.runtime import runtime_of
from helpouts.scheduling.service import free_slots
from helpouts.wishes import moderation
from helpouts.wishes.models import HelpRequest, RequestAnswer
from helpouts.wishes.requests import tell_customer
from helpouts.wishes.states import LIVE_STATES, REQUEST

#: Answers to one request: enough to choose from, not so many that nobody reads them.
MOST_ANSWERS = 8
#: Answers that one expert may write in 24 hours.
MOST_A_DAY = 30
TEXT_LENGTH = (20, 1000)
PER_PAGE = 20


def fields_of(db: Session, expert: Expert) -> list[str]:
    """Slugs of the enabled categories that the expert is vetted for."""
    enabled = runtime_of(db).registry.categories(db)
    return [held.category for held in expert.categories if held.category in enabled]


def board(db: Session, expert: Expert, page: int = 1) -> tuple[list[HelpRequest], int]:
    """(one page of the requests that the expert may answer, the number of pages), the newest first."""
    total = open_count(db, expert)
    pages = max(1, -(-total // PER_PAGE))
    page = max(1, min(page, pages))
    chosen = _open(db, expert).options(selectinload(HelpRequest.answers)).order_by(HelpRequest.id.desc())
    return list(db.scalars(chosen.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).unique()), pages


def open_count(db: Session, expert: Expert) -> int:
    """How many requests wait in the expert's fields."""
    return db.scalar(select(func.count()).select_from(_open(db, expert).subquery())) or 0


def _open(db: Session, expert: Expert) -> Select[HelpRequest]:
    own = [member.user_id for member in expert.members]
    return select(HelpRequest).where(
        HelpRequest.state.in_(LIVE_STATES),
        HelpRequest.category.in_(fields_of(db, expert) if expert.state == "active" else []),
        HelpRequest.expires_at > clock.now(),
        HelpRequest.customer_id.not_in(own),
    )


def for_expert(db: Session, expert: Expert, public_id: str) -> HelpRequest:
    """A request that the expert may read: on the board, or answered by them.

    :raises NotFound: otherwise, whether it exists or not.
    """
    request = db.scalar(_open(db, expert).where(HelpRequest.public_id == public_id))
    if request is None:
        answered = (
            select(HelpRequest)
            .join(RequestAnswer, RequestAnswer.request_id == HelpRequest.id)
            .where(RequestAnswer.expert_id == expert.id, HelpRequest.public_id == public_id)
        )
        request = db.scalar(answered)
    if request is None:
        raise NotFound(_l("This request is not open any more, or not in your field."))
    return request


def listings_for(db: Session, expert: Expert, request: HelpRequest) -> Sequence[Listing]:
    """What the expert has on sale in the field of the request."""
    own = select(Listing).where(
        Listing.expert_id == expert.id, Listing.state == "live", Listing.category == request.category
    )
    return db.scalars(own.order_by(Listing.subcategory != request.subcategory, Listing.id)).unique().all()


def answer_of(db: Session, expert: Expert, request: HelpRequest) -> RequestAnswer | None:
    """What the expert has answered already."""
    given = select(RequestAnswer).where(RequestAnswer.request_id == request.id, RequestAnswer.expert_id == expert.id)
    return db.scalar(given)


def answer(
    db: Session,
    request: HelpRequest,
    expert: Expert,
    actor: Actor,
    *,
    listing_id: int | None = None,
    starts_at: datetime | None = None,
    text: str = "",
) -> RequestAnswer:
    """Answer a request, once: with a listing (perhaps at a free time of it), with words, or both.

    :raises NotAllowed: when the expert is not vetted for the field. :raises Conflict: when it is too late.
    :raises HelpoutsError: for what does not fit; ``field`` names it.
    """
    if expert.state != "active" or request.category not in fields_of(db, expert):
        raise NotAllowed(_l("Only experts who are vetted for this field answer its requests."))
    if actor.user_id is None or actor.user_id not in {member.user_id for member in expert.members}:
        raise NotAllowed(_l("You do not work for this expert."))
    if actor.user_id == request.customer_id:
        raise NotAllowed(_l("This is your own request."))
    db.refresh(request, ["state"], with_for_update={"of": HelpRequest})
    if answer_of(db, expert, request) is not None:
        raise Conflict(_l("You have answered this request already."))
    _check_numbers(db, request, expert)
    listing = _listing(db, expert, request, listing_id, starts_at)
    cleaned = _text(text, needed=listing is None)
    REQUEST.apply(db, request, "answer", actor)
    given = RequestAnswer(
        request=request, expert=expert, user_id=actor.user_id, listing=listing, starts_at=starts_at, text=cleaned
    )
    db.add(given)
    db.flush()
    if wants(db, request.customer_id, "answer"):
        tell_customer(db, request, "request_answered", answer=given)
    title = _l("%(name)s has answered your request", name=expert.name)
    notify(db, request.customer_id, "answer", title, request.title, f"/requests/{request.public_id}")
    return given


def _check_numbers(db: Session, request: HelpRequest, expert: Expert) -> None:
    count = select(func.count()).select_from(RequestAnswer)
    if (db.scalar(count.where(RequestAnswer.request_id == request.id)) or 0) >= MOST_ANSWERS:
        raise Conflict(_l("This request has enough answers already."))
    since = clock.now() - timedelta(days=1)
    mine = count.where(RequestAnswer.expert_id == expert.id, RequestAnswer.created_at > since)
    if (db.scalar(mine) or 0) >= MOST_A_DAY:
        raise HelpoutsError(_l("You have answered %(most)s requests today: go on tomorrow.", most=MOST_A_DAY))


def _listing(
    db: Session, expert: Expert, request: HelpRequest, listing_id: int | None, starts_at: datetime | None
) -> Listing | None:
    if listing_id is None:
        if starts_at is not None:
            raise HelpoutsError(_l("Choose the listing that is meant for this time."), field="listing")
        return None
    listing = db.get(Listing, listing_id)
    if listing is None or listing.expert_id != expert.id or listing.category != request.category:
        raise HelpoutsError(_l("Choose one of your listings in this field."), field="listing")
    if not is_open(db, listing):
        raise HelpoutsError(_l("This listing cannot be booked at the moment: choose another one."), field="listing")
    if starts_at is not None and starts_at not in free_slots(db, listing, starts_at, starts_at + timedelta(minutes=1)):
        raise HelpoutsError(
            _l("Nobody can book this time: choose one of the free times of the listing."), field="start"
        )
    return listing


def _text(text: str, *, needed: bool) -> str:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    cleaned = "\n".join(lines).strip()
    if not cleaned and needed:
        raise HelpoutsError(_l("Offer one of your listings, or write some words."), field="text")
    if not all(char.isprintable() or char in "\n\t" for char in cleaned):
        raise HelpoutsError(_l("Enter plain text."), field="text")
    least, most = TEXT_LENGTH
    if needed and len(cleaned) < least:
        raise HelpoutsError(_l("Write at least %(least)s characters.", least=least), field="text")
    if len(cleaned) > most:
        raise HelpoutsError(_l("At most %(most)s characters fit.", most=most), field="text")
    return moderation.check(cleaned, "text")
