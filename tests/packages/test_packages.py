"""Packages: bought once, used one by one, never more sessions than were paid for, and the rest is never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from helpouts import site
from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.bookings import extending
from helpouts.bookings import service as bookings
from helpouts.bookings.models import Booking
from helpouts.catalog import service as catalog
from helpouts.catalog.models import Listing
from helpouts.catalog.states import EXPERT
from helpouts.clock import clock
from helpouts.coupons import redeeming
from helpouts.coupons.models import Coupon
from helpouts.errors import Conflict, HelpoutsError, NotAllowed, Unavailable
from helpouts.jobs.models import Job
from helpouts.live.tools import extending as room_tools
from helpouts.packages import holdings, offers, service
from helpouts.packages.models import Package, PackageOffer
from helpouts.packages.returning import give_back_all
from helpouts.payments import Declined, NotSupported
from helpouts.payments import service as money
from helpouts.payments.ledger import balance
from helpouts.sessions import service as rooms
from helpouts.testing.factories import make_customer, make_listing

from .conftest import EACH, FIRST, FUNDS, SESSIONS, SINGLE


def left(db, package):
    """Sessions left, as the customer's page says."""
    return next(found.left for found in holdings.of_customer(db, package.customer_id) if found.package is package)


def mails(db, template):
    jobs = db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
    return [job.payload for job in jobs if job.payload["template"] == template]


def test_a_package_is_paid_from_the_wallet_once_however_often_it_is_sent(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        assert shop.buy(db) is package
        assert shop.wallet(db) == FUNDS - SESSIONS * EACH == 0
        assert left(db, package) == SESSIONS
        assert [mail["to"] for mail in mails(db, "package_bought")] == [
            db.get_one(User, shop.customer).email,
            db.get_one(User, shop.expert).email,
        ]


def test_a_form_of_another_package_is_no_second_click(runtime, shop):
    with runtime.database.session(write=True) as db:
        shop.buy(db)
        other = offers.add_offer(db, db.get_one(Listing, shop.listing), 30, 3, 2000, shop.seller)
        with pytest.raises(Conflict, match="too old"):
            service.buy(db, other, db.get_one(User, shop.customer), shop.buyer, idempotency_key="one")
        db.rollback()


def test_who_cannot_pay_or_may_not_buy_is_told_so_and_nothing_moves(runtime, shop):
    with runtime.database.write() as db:
        shop.buy(db)
    with runtime.database.session(write=True) as db:
        with pytest.raises(Declined, match="Please top it up"):
            shop.buy(db, "two")
        db.rollback()
        offer = db.get_one(PackageOffer, shop.offer)
        with pytest.raises(NotAllowed):
            service.buy(db, offer, db.get_one(User, shop.expert), shop.seller, idempotency_key="own")
        with pytest.raises(NotAllowed):
            offers.withdraw_offer(db, offer, shop.buyer)
        offers.withdraw_offer(db, offer, shop.seller)
        with pytest.raises(Conflict, match="not on offer any more"):
            shop.buy(db, "three")
        db.rollback()
    with runtime.database.read() as db:
        assert (shop.wallet(db), len(db.scalars(select(Package)).all())) == (0, 1)


def test_offers_are_seen_only_while_they_save_something_and_can_be_paid_for(runtime, shop):
    with runtime.database.session(write=True) as db:
        listing = db.get_one(Listing, shop.listing)
        assert [offer.id for offer in offers.on_sale(db, listing)] == [shop.offer]
        assert offers.saving(db.get_one(PackageOffer, shop.offer), listing) == SESSIONS * (SINGLE - EACH)
        listing.price_minor = EACH
        assert offers.on_sale(db, listing) == []
        with pytest.raises(Conflict):
            shop.buy(db)
        db.rollback()
        site.put(db, "payment_backend", "gone", SYSTEM)
        assert offers.on_sale(db, db.get_one(Listing, shop.listing)) == []
        with pytest.raises(Unavailable):
            shop.buy(db)
        db.rollback()


@pytest.mark.parametrize(
    ("minutes", "sessions", "price", "field"),
    [
        (60, 1, EACH, "sessions"),
        (60, 51, EACH, "sessions"),
        (60, 3, 0, "price"),
        (60, 3, SINGLE, "price"),
        (45, 3, 1000, "session"),
        (60, SESSIONS, 3000, "sessions"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused_at_its_field(runtime, shop, minutes, sessions, price, field):
    with runtime.database.session(write=True) as db, pytest.raises(HelpoutsError) as refused:
        offers.add_offer(db, db.get_one(Listing, shop.listing), minutes, sessions, price, shop.seller)
    assert refused.value.field == field


def test_a_session_from_a_package_costs_its_price_and_the_fee_of_that(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        booking = shop.booked(db, package, 0)
        assert (booking.state, booking.price_minor, booking.amount_minor) == ("confirmed", EACH, EACH)
        assert (left(db, package), shop.wallet(db)) == (SESSIONS - 1, 0)
        assert money.receipt(db, booking).lines[0].label == "Held from your package"
        payment = money.settle_booking(db, booking, 3600, SYSTEM)
        assert (payment.captured_minor, payment.fee_minor) == (EACH, 800)
        money.refund(db, payment, EACH, "it did not help", Actor("operator", None, "operator"))
        assert (left(db, package), shop.wallet(db)) == (SESSIONS, 0)


def test_a_session_that_is_called_off_goes_back_into_the_package(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        bookings.cancel(db, shop.booked(db, package, 0), "ill", shop.seller)
        assert (left(db, package), shop.wallet(db)) == (SESSIONS, 0)
        assert money.receipt(db, db.scalars(select(Booking)).one()).lines[1].label == "Given back to your package"


def test_a_coupon_at_the_checkout_is_not_used_up_by_a_package(runtime, shop):
    with runtime.database.write() as db:
        listing = db.get_one(Listing, shop.listing)
        coupon = Coupon(code="HALF", expert_id=listing.expert_id, percent=50, currency="EUR", zone="UTC", most_uses=1)
        db.add(coupon)
        db.flush()
        package, booking = shop.buy(db), shop.held(db, 0)
        redeeming.apply(db, booking, "half")
        assert booking.price_minor == SINGLE // 2
        service.pay(db, package, [booking], shop.buyer)
        db.refresh(coupon)
        assert (booking.price_minor, booking.amount_minor, coupon.used) == (EACH, EACH, 0)
        assert left(db, package) == SESSIONS - 1


def test_sending_the_checkout_twice_takes_one_session(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        booking = shop.booked(db, package, 0)
        service.pay(db, package, [booking], shop.buyer)
        assert left(db, package) == SESSIONS - 1


def test_a_package_pays_for_its_own_sessions_only(runtime, shop):
    with runtime.database.write() as db:
        package, other = shop.buy(db), make_customer(db, "Otto Her")
        short, theirs = shop.held(db, 0, minutes=30), shop.held(db, 1, other.id)
        listing = db.get_one(Listing, shop.listing)
        elsewhere = make_listing(db, listing.expert, price_minor=SINGLE, length_minutes=60)
        there = shop.__class__(elsewhere.id, shop.customer, shop.expert, shop.offer).held(db, 2)
        assert [holdings.usable(db, one) for one in (short, theirs, there)] == [[], [], []]
        for one in (short, there):
            with pytest.raises(Conflict, match="for other sessions"):
                service.pay(db, package, [one], shop.buyer)
        with pytest.raises(NotAllowed):
            service.pay(db, package, [theirs], shop.buyer)
        with pytest.raises(NotAllowed):
            service.pay(db, package, [theirs], Actor("customer", other.id, "otto"))
        with pytest.raises(NotAllowed):
            service.give_back(db, package, Actor("customer", other.id, "otto"))
        late = shop.held(db, 3)
        clock.advance(timedelta(hours=1))
        bookings.expire_lapsed(db)
        with pytest.raises(Conflict, match="run out"):
            service.pay(db, package, [late], shop.buyer)
        assert left(db, package) == SESSIONS


def test_several_are_paid_all_or_none(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        held = [shop.held(db, number) for number in range(SESSIONS + 1)]
        assert [found.package for found in holdings.usable(db, held[0], SESSIONS)] == [package]
        assert holdings.usable(db, held[0], SESSIONS + 1) == []
        with pytest.raises(Conflict, match="too few sessions left"):
            service.pay(db, package, held, shop.buyer)
        assert {booking.state for booking in held} == {"held"}
        service.pay(db, package, held[1:], shop.buyer)
        assert left(db, package) == 0


def test_of_two_bookings_for_the_last_session_exactly_one_gets_it(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        for number in range(SESSIONS - 1):
            shop.booked(db, package, number)
        rivals = [shop.held(db, SESSIONS + number).id for number in range(2)]
        package_id = package.id
    together = Barrier(2)

    def book(booking_id):
        together.wait()
        try:
            with runtime.database.write() as db:
                service.pay(db, db.get_one(Package, package_id), [db.get_one(Booking, booking_id)], shop.buyer)
        except (Conflict, Declined):
            return "lost"
        return "won"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(book, rivals)) == ["lost", "won"]
    with runtime.database.read() as db:
        assert balance(db, f"package:{package_id}", "EUR") == 0
        assert sorted(db.get_one(Booking, one).state for one in rivals) == ["confirmed", "held"]


def test_the_ledger_refuses_the_last_session_to_whoever_looked_too_early(runtime, shop, monkeypatch):
    with runtime.database.session(write=True) as db:
        package = shop.buy(db)
        service.give_back(db, package, shop.buyer)
        monkeypatch.setattr(service, "balance", lambda *_account: EACH)
        with pytest.raises(Declined, match="not enough money in the account"):
            shop.booked(db, package, 0)
        db.rollback()


def test_a_running_session_does_not_eat_the_next_one(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        booking = shop.booked(db, package, 0)
        clock.set(FIRST)
        session = rooms.session_of(db, booking)
        rows = [rooms.join(db, session, user, "node", "") for user in (booking.host_id, booking.customer_id)]
        clock.advance(timedelta(minutes=5))
        rooms.seen(db, {row.id: clock.now() for row in rows})
        for actor in (shop.seller, shop.buyer):
            with pytest.raises(NotSupported, match="paid from a package"):
                extending.ask(db, booking, 15, actor)
            shown = room_tools.as_json(db, booking, actor.user_id)
            assert (shown["choices"], "Book another one" in shown["obstacle"]) == ([], True)
        assert left(db, package) == SESSIONS - 1


def test_the_rest_can_be_taken_back_at_any_time_and_what_comes_back_later_too(runtime, shop):
    with runtime.database.write() as db:
        package = shop.buy(db)
        booking = shop.booked(db, package, 0)
        assert service.give_back(db, package, shop.buyer) == (SESSIONS - 1) * EACH
        assert service.give_back(db, package, shop.buyer) == 0
        assert (shop.wallet(db), booking.price_minor) == ((SESSIONS - 1) * EACH, EACH)
        bookings.cancel(db, booking, "ill", shop.seller)
        assert left(db, package) == 1
        assert service.give_back(db, package, shop.buyer) == EACH
        assert shop.wallet(db) == FUNDS
        said = [mail["subject"] for mail in mails(db, "package_given_back")]
        assert said == [
            "€160.00 of your package is back in your wallet",
            "€40.00 of your package is back in your wallet",
        ]
        kinds = [entry.label for entry in money.wallet_statement(db, shop.customer)]
        assert [str(label) for label in kinds[:3]] == ["Rest of a package", "Rest of a package", "Package of sessions"]


@pytest.mark.parametrize("end", ["retired", "left", "length", "free"])
def test_when_nobody_can_book_it_any_more_the_rest_goes_back_by_itself(runtime, shop, end):
    with runtime.database.write() as db:
        package = shop.buy(db)
        booking = shop.booked(db, package, 0)
        give_back_all(db, {})
        assert shop.wallet(db) == 0
        listing = db.get_one(Listing, shop.listing)
        if end == "retired":
            catalog.retire(db, listing, "", shop.seller)
        elif end == "left":
            EXPERT.apply(db, listing.expert, "suspend", SYSTEM)
        elif end == "length":
            listing.length_minutes, listing.price_minor, listing.more_lengths = 30, 3000, []
        else:
            listing.pricing, listing.price_minor = "free", 0
        db.flush()
        give_back_all(db, {})
        give_back_all(db, {})
        assert shop.wallet(db) == (SESSIONS - 1) * EACH
        assert booking.state == "confirmed"
        assert "cannot be booked any more" in mails(db, "package_given_back")[0]["body"]
        assert len(mails(db, "package_given_back")) == 1


def test_a_further_length_that_is_still_on_sale_keeps_its_packages(runtime, shop):
    with runtime.database.write() as db:
        listing = db.get_one(Listing, shop.listing)
        offer = offers.add_offer(db, listing, 30, 3, 2500, shop.seller)
        package = service.buy(db, offer, db.get_one(User, shop.customer), shop.buyer, idempotency_key="short")
        give_back_all(db, {})
        assert left(db, package) == 3


def test_a_listing_that_cannot_be_booked_sells_no_packages(runtime, shop):
    with runtime.database.session(write=True) as db:
        catalog.retire(db, db.get_one(Listing, shop.listing), "", shop.seller)
        with pytest.raises(Unavailable):
            shop.buy(db)
        db.rollback()
