"""The pages of packages: from the expert's offer to the customer's last session."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from helpouts.bookings import series
from helpouts.bookings.models import Booking, BookingSeries
from helpouts.catalog.models import Listing
from helpouts.packages.models import Package, PackageOffer
from helpouts.packages.service import give_back
from helpouts.testing.factories import make_customer, make_user
from tests.bookings.conftest import submit
from tests.web.test_page_queries import MOST, statements

from .conftest import EACH, FUNDS, SESSIONS


def press(client, page, action, **values):
    """Send the one-button form of a page that leads to an address with that part."""
    found = re.search(rf'action="([^"]*{action}[^"]*)">\s*<input[^>]*name="csrf_token" value="([^"]+)"', page.text)
    assert found, f"no button to {action}"
    return client.post(found[1], data={"csrf_token": found[2], **values})


@pytest.fixture
def clara(browser, shop):
    """The customer's browser."""
    return browser(shop.customer)


def package_of(runtime):
    with runtime.database.read() as db:
        return db.scalars(select(Package)).one()


def test_a_customer_buys_books_and_takes_the_rest_back(runtime, shop, browser, clara):
    with runtime.database.read() as db:
        slug = db.get_one(Listing, shop.listing).slug
    seen = browser().get(f"/l/{slug}").text
    assert "5 × 1 h, €200.00" in seen
    assert "you save €50.00" in seen
    done = submit(clara, f"/packages/buy/{shop.offer}", key="one")
    assert (done.status_code, done.headers["Location"]) == (303, "/packages")
    assert submit(clara, f"/packages/buy/{shop.offer}", key="one").status_code == 303
    assert "5 sessions left" in clara.get("/packages").text
    with runtime.database.write() as db:
        name = shop.held(db, 0).public_id
    checkout = clara.get(f"/bookings/{name}/checkout")
    assert "Pay with your package (5 left)" in checkout.text
    assert checkout.text.index("Pay with your package") < checkout.text.index("Your wallet")
    paid = press(clara, checkout, "/pay/")
    assert paid.headers["Location"] == f"/bookings/{name}"
    page = clara.get("/packages")
    assert "4 sessions left" in page.text
    assert f"/bookings/{name}" in page.text
    assert "Held from your package" in clara.get(f"/bookings/{name}").text
    assert press(clara, page, "/return").status_code == 303
    assert "€160.00 is back in your wallet" in clara.get("/packages").text
    with runtime.database.read() as db:
        assert (shop.wallet(db), db.scalars(select(Booking.state)).all()) == (FUNDS - EACH, ["confirmed"])


def test_a_wallet_that_holds_too_little_says_how_much_is_missing_and_where_to_top_up(runtime, shop, browser):
    with runtime.database.write() as db:
        poor = make_user(db, "Paul")
        rich = make_customer(db, "Rita").id
        offer = PackageOffer(listing_id=shop.listing, length_minutes=60, sessions=10, price_minor=4500, currency="EUR")
        db.add(offer)
        db.flush()
        offer_id, poor_id = offer.id, poor.id
    page = browser(rich).get(f"/packages/buy/{offer_id}").text
    assert "€250.00 is missing in your wallet" in page
    assert f"/x/payments_wallet/?next=%2Fpackages%2Fbuy%2F{offer_id}" in page
    assert "Set up your wallet first" in browser(poor_id).get(f"/packages/buy/{offer_id}").text


def test_an_offer_that_is_gone_leads_back_to_the_listing_and_a_late_click_says_so(runtime, shop, browser, clara):
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', clara.get(f"/packages/buy/{shop.offer}").text)[1]
    expert = browser(shop.expert)
    page = expert.get("/expert/packages")
    assert "customers save €50.00" in page.text
    assert press(expert, page, "/withdraw").status_code == 303
    assert "You offer no packages yet." in expert.get("/expert/packages").text
    late = clara.post(f"/packages/buy/{shop.offer}", data={"csrf_token": token, "key": "late"})
    assert late.status_code == 400
    assert "not on offer any more" in late.text
    gone = clara.get(f"/packages/buy/{shop.offer}")
    assert (gone.status_code, gone.headers["Location"].startswith("/l/")) == (303, True)
    assert clara.get("/packages/buy/999").status_code == 404


def test_an_expert_offers_a_package_and_sees_who_holds_one(runtime, shop, browser):
    expert = browser(shop.expert)
    wrong = submit(expert, "/expert/packages", session=f"{shop.listing}:60", sessions="3", price="50")
    assert wrong.status_code == 400
    assert "costs less than a single one (€50.00)" in wrong.text
    assert (
        submit(expert, "/expert/packages", session=f"{shop.listing}:60", sessions="99", price="45").status_code == 400
    )
    made = submit(expert, "/expert/packages", session=f"{shop.listing}:30", sessions="3", price="27,50")
    assert made.status_code == 303
    with runtime.database.write() as db:
        offers = [(o.length_minutes, o.sessions, o.price_minor) for o in db.scalars(select(PackageOffer))]
        assert offers == [(60, SESSIONS, EACH), (30, 3, 2750)]
        shop.booked(db, shop.buy(db), 0)
    page = expert.get("/expert/packages").text
    assert "Clara Berg" in page
    assert "4 of 5 sessions left" in page


def test_packages_of_others_are_not_there(runtime, shop, browser, clara):
    with runtime.database.write() as db:
        name, mine, other = shop.buy(db).public_id, shop.held(db, 0).public_id, make_customer(db, "Otto Her")
        theirs = shop.held(db, 1, other.id).public_id
        other_id = other.id
    stranger = browser(other_id)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', stranger.get(f"/bookings/{theirs}/checkout").text)[1]
    for path in (f"/packages/{name}/return", f"/packages/{name}/pay/{theirs}", f"/packages/{name}/pay/{mine}"):
        assert stranger.post(path, data={"csrf_token": token}).status_code == 404
    assert "Pay with your package" not in stranger.get(f"/bookings/{theirs}/checkout").text
    assert stranger.get("/expert/packages").status_code == 403
    assert browser().get("/packages").status_code == 302


def test_when_too_few_are_left_the_checkout_says_so_and_the_wallet_pays(runtime, shop, clara):
    with runtime.database.write() as db:
        shop.buy(db)
        name = shop.held(db, 0).public_id
    checkout = clara.get(f"/bookings/{name}/checkout")
    with runtime.database.write() as db:
        give_back(db, db.scalars(select(Package)).one(), shop.buyer)
    late = press(clara, checkout, "/pay/")
    assert late.headers["Location"] == f"/bookings/{name}/checkout"
    again = clara.get(f"/bookings/{name}/checkout").text
    assert "too few sessions left (0)" in again
    assert "Pay with your package" not in again
    assert "Pay €50.00 and book" in again


def test_a_series_is_paid_from_the_package_when_enough_are_left(runtime, shop, clara):
    with runtime.database.write() as db:
        shop.buy(db)
        held = [shop.held(db, 84 * number) for number in range(3)]
        one = BookingSeries(
            public_id="three", listing_id=shop.listing, customer_id=shop.customer, host_id=shop.expert,
            every_weeks=1, idempotency_key="three",
        )  # fmt: skip
        db.add(one)
        db.flush()
        for booking in held:
            booking.series_id = one.id
    checkout = clara.get("/series/three/checkout")
    assert "3 of your sessions, paid already at €40.00 each" in checkout.text
    assert press(clara, checkout, "/pay-series/").status_code == 303
    with runtime.database.read() as db:
        booked = series.bookings_of(db, db.scalars(select(BookingSeries)).one())
        assert [(booking.state, booking.amount_minor) for booking in booked] == [("confirmed", EACH)] * 3
    assert "2 sessions left" in clara.get("/packages").text


def test_the_pages_ask_little(runtime, shop, browser, clara):
    with runtime.database.write() as db:
        slug, package = db.get_one(Listing, shop.listing).slug, shop.buy(db)
        shop.booked(db, package, 1)
        name = shop.held(db, 0).public_id
    found = {}
    for client, path in (
        (clara, f"/l/{slug}"), (browser(), f"/l/{slug}"), (clara, f"/bookings/{name}/checkout"), (clara, "/packages"),
    ):  # fmt: skip
        client.get(path)
        with statements(runtime) as asked:
            assert client.get(path).status_code == 200
        found[path] = len(asked)
    assert all(number <= MOST for number in found.values()), found
