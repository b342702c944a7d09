"""Who is free at an instant: what the index says is what the exact engine says, to the quarter."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from shop import make_expert, make_listing, make_user
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from helpouts.bookings.models import Booking
from helpouts.catalog.models import ExpertMember, Listing
from helpouts.catalog.queries import SearchRequest, search
from helpouts.clock import clock
from helpouts.finding import index, masks, upkeep
from helpouts.finding.checks import drift
from helpouts.finding.models import ListingSearch
from helpouts.scheduling import changes
from helpouts.scheduling.rules import DayOverride, WeeklyRule
from helpouts.scheduling.service import free_slots, next_free, save_schedule

NOW = datetime(2026, 3, 24, 7, 10, tzinfo=UTC)  # the clocks of Europe go forward on the 29th
QUARTER = timedelta(minutes=15)


def told(db: Session) -> None:
    """The worker has come by."""
    db.flush()
    upkeep.catch_up(db)
    changes.tell(db, {})


def booked(db: Session, listing: Listing, start: datetime, **values: object) -> Booking:
    given = {
        "public_id": f"b{start.timestamp():.0f}{listing.id}", "listing_id": listing.id, "expert_id": listing.expert_id,
        "host_id": listing.expert.owner.id, "customer_id": make_user(db, f"Guest {start.timestamp()}{listing.id}").id,
        "state": "confirmed", "starts_at": start, "ends_at": start + timedelta(minutes=listing.length_minutes),
        "title": "", "category": "repair", "pricing": "free", "price_minor": 0, "currency": "EUR", "amount_minor": 0,
        "fee_bp": 0, "cancellation_policy": "moderate", "customer_zone": "UTC", "host_zone": "UTC",
    } | values  # fmt: skip
    booking = Booking(**given)
    db.add(booking)
    db.flush()
    changes.touch(db, [booking.host_id])
    return booking


def sought(db: Session) -> datetime:
    """A full hour at which several are free."""
    hours = (NOW.replace(minute=0) + timedelta(hours=ahead) for ahead in range(24, 24 * 9))
    return next(hour for hour in hours if search(db, SearchRequest(free_at=hour)).total > 2)


@pytest.fixture
def people(db: Session) -> list[Listing]:
    """A dozen experts with hours, grids, notices, horizons and lengths of all kinds, some of them booked."""
    clock.set(NOW)
    chance = random.Random(4)
    made = []
    for number in range(12):
        expert = make_expert(db, f"Person {number}")
        first = chance.choice((0, 330, 540, 615))
        rules = [
            WeeklyRule(day, first, first + chance.choice((45, 185, 480))) for day in range(7) if chance.random() < 0.8
        ]
        save_schedule(
            db, expert.owner.id, chance.choice(("Europe/Berlin", "Asia/Kathmandu", "America/New_York", "UTC")), rules,
            [DayOverride(date(2026, 3, 26), ((600, 700),))],
            step_minutes=chance.choice((5, 10, 15, 20, 30, 60)), buffer_after=chance.choice((0, 10)),
            minimum_notice_minutes=chance.choice((0, 50, 60, 1440)), horizon_days=chance.choice((2, 10, 60)),
        )  # fmt: skip
        listing = make_listing(db, expert, f"Lesson {number}", length_minutes=chance.choice((15, 30, 50, 90)))
        made.append(listing)
        taken = NOW
        for slot in free_slots(db, listing, NOW, NOW + timedelta(days=4))[::9]:
            if slot >= taken:
                taken = booked(db, listing, slot).ends_at + timedelta(minutes=10)
    told(db)
    return made


def test_free_at_is_what_the_exact_engine_says(db: Session, people: list[Listing]) -> None:
    days = [
        NOW.replace(minute=0) + timedelta(hours=hours) for hours in (1, 2, 3, 8, 26, 49, 52, 75, 121, 124, 200, 260)
    ]
    for wanted in [start + QUARTER * part for start in days for part in range(4)]:
        found = {card.title for card in search(db, SearchRequest(free_at=wanted)).items}
        exact = set()
        for listing in people:
            schedule = index.times.of_offers(db, [index.Offer(listing.id, listing.expert_id, listing.length_minutes)])
            of_listing = schedule[listing.id]
            ahead = (wanted - NOW) / timedelta(minutes=1)
            # The quarter counts when it lies wholly between notice and horizon.
            if ahead >= of_listing.notice and ahead + 14 <= of_listing.horizon:
                exact |= {listing.title} if free_slots(db, listing, wanted, wanted + QUARTER) else set()
        assert found == exact, wanted


def test_around_widens_to_both_sides(db: Session, people: list[Listing]) -> None:
    wanted = sought(db)
    single = [{c.title for c in search(db, SearchRequest(free_at=wanted + QUARTER * n)).items} for n in range(-4, 5)]
    around = search(db, SearchRequest(free_at=wanted, around_minutes=60))
    assert {card.title for card in around.items} == set().union(*single)
    assert around.total == len(around.items)
    for card in around.items:
        assert card.free_at is None or abs(card.free_at - wanted) <= timedelta(minutes=74)


def test_a_time_within_a_quarter_means_the_next_one(db: Session, people: list[Listing]) -> None:
    wanted = sought(db)
    sharp = search(db, SearchRequest(free_at=wanted))
    assert search(db, SearchRequest(free_at=wanted - timedelta(minutes=3))).total == sharp.total > 0


@pytest.mark.parametrize("wanted", [NOW - timedelta(days=1), NOW + timedelta(days=300)])
def test_nobody_is_free_in_the_past_or_beyond_all_calendars(
    db: Session, people: list[Listing], wanted: datetime
) -> None:
    assert search(db, SearchRequest(free_at=wanted)).total == 0


def test_cards_know_the_next_free_time_at_any_later_moment(db: Session, people: list[Listing]) -> None:
    for minutes in (0, 7, 35, 90, 300, 1000):
        clock.set(NOW + timedelta(minutes=minutes))
        exact = next_free(db, people)
        for card in search(db, SearchRequest(per_page=50)).items:
            assert card.next_free_at == exact[card.id], (minutes, card.title)


def test_sorted_by_the_next_free_time_nobody_comes_too_early(db: Session, people: list[Listing]) -> None:
    cards = search(db, SearchRequest(sort="next_free", per_page=50)).items
    never = datetime.max.replace(tzinfo=UTC)
    assert all((a.next_free_at or never) <= (b.next_free_at or never) for a, b in pairwise(cards))


def test_a_booking_counts_before_the_worker_has_heard_of_it(db: Session, people: list[Listing]) -> None:
    wanted = sought(db)
    card = search(db, SearchRequest(free_at=wanted)).items[0]
    listing = db.get_one(Listing, card.id)
    booked(db, listing, free_slots(db, listing, wanted, wanted + QUARTER)[0])
    if not free_slots(db, listing, wanted, wanted + QUARTER):
        assert card.title not in {found.title for found in search(db, SearchRequest(free_at=wanted)).items}
    told(db)
    assert drift(db) == []


def test_a_lapsed_hold_frees_its_time(db: Session) -> None:
    clock.set(NOW)
    expert = make_expert(db, "Ada Wrench")
    save_schedule(db, expert.owner.id, "UTC", [WeeklyRule(day, 540, 570) for day in range(7)], minimum_notice_minutes=0)
    listing = make_listing(db, expert, "Lesson", length_minutes=30)
    start = datetime(2026, 3, 24, 9, 0, tzinfo=UTC)
    booked(db, listing, start, state="held", held_until=NOW + timedelta(minutes=15))
    told(db)
    assert search(db, SearchRequest(free_at=start)).total == 0
    clock.set(NOW + timedelta(minutes=16))
    upkeep.refresh_due(db, {})
    assert search(db, SearchRequest(free_at=start)).total == 1


def test_a_company_is_free_when_one_of_its_members_is(db: Session) -> None:
    clock.set(NOW)
    expert = make_expert(db, "Both", kind="company")
    second = make_user(db, "Second Person")
    db.add(ExpertMember(expert_id=expert.id, user_id=second.id, role="member"))
    db.flush()
    save_schedule(db, expert.owner.id, "UTC", [WeeklyRule(2, 540, 600)])
    save_schedule(db, second.id, "UTC", [WeeklyRule(3, 540, 600)])
    make_listing(db, expert, "Lesson", length_minutes=30)
    told(db)
    for day, total in ((25, 1), (26, 1), (27, 0)):
        assert search(db, SearchRequest(free_at=datetime(2026, 3, day, 9, 0, tzinfo=UTC))).total == total


def test_days_pass_and_the_rows_follow(db: Session, people: list[Listing]) -> None:
    clock.set(NOW + timedelta(days=9))
    assert drift(db)
    upkeep.refresh_due(db, {})
    assert drift(db) == []
    known = db.scalars(select(ListingSearch.known_until)).all()
    assert {day - int(clock.now().timestamp() // 86400) for day in known} == {masks.DAYS}


def test_a_rebuilt_index_is_the_same(db: Session, people: list[Listing]) -> None:
    before = [(card.id, card.next_free_at) for card in search(db, SearchRequest(per_page=50)).items]
    assert index.rebuild(db) == 12
    assert [(card.id, card.next_free_at) for card in search(db, SearchRequest(per_page=50)).items] == before


def test_pages_with_all_filters_hold_every_hit_once(db: Session, people: list[Listing]) -> None:
    wanted = sought(db)
    for sort in ("relevance", "rating", "next_free", "price"):
        request = SearchRequest(q="lesson", free_at=wanted, around_minutes=120, sort=sort, per_page=2)
        first = search(db, request)
        ids = [
            card.id
            for page in range(1, first.pages + 1)
            for card in search(db, SearchRequest(**{**_values(request), "page": page})).items
        ]
        assert len(ids) == len(set(ids)) == first.total > 2


def test_the_number_of_queries_is_bounded(db: Session, people: list[Listing]) -> None:
    request = SearchRequest(q="lesson", free_at=NOW + timedelta(hours=50), around_minutes=60, available_now=False)
    search(db, request)
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.get_bind(), "before_cursor_execute", note)
    try:
        search(db, request)
    finally:
        event.remove(db.get_bind(), "before_cursor_execute", note)
    assert len(statements) <= 6, statements


def _values(request: SearchRequest) -> dict[str, object]:
    return {name: getattr(request, name) for name in SearchRequest.__dataclass_fields__}
