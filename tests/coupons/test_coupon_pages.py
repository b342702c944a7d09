"""Coupons on the pages: made at the expert's desk, used at the checkout, brought by a link."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, select

from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.coupons.models import Coupon
from helpouts.demo.history import answers
from helpouts.testing.factories import make_customer, make_expert, make_listing, make_user
from tests.bookings.conftest import browser, site, submit  # noqa: F401  # fixtures

from .test_redeeming import NOW, coupon, held

MOST_QUERIES = 8


@pytest.fixture
def shop(runtime):
    """An expert with a listing of 25 EUR, a customer with a held booking of it."""
    clock.set(NOW)
    with runtime.database.write() as db:
        expert, clara = make_expert(db), make_customer(db)
        listing = make_listing(db, expert)
        booking = held(db, listing, clara)
        given = {f"intake_{key}": value for key, value in answers(runtime.registry.category("it")).items()}
        return {
            "expert": expert.id, "owner": expert.owner.id, "slug": expert.slug, "customer": clara.id,
            "listing": listing.id, "path": f"/l/{listing.slug}", "booking": booking.id,
            "checkout": f"/bookings/{booking.public_id}/checkout", "answers": given,
        }  # fmt: skip


def made(runtime, shop, code="SUMMER10", **values):
    with runtime.database.write() as db:
        return coupon(db, db.get_one(Expert, shop["expert"]), code, **values).id


def post(client, page, path, **values):
    """Send a form of a page to its own address."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(page).text)
    assert token is not None
    return client.post(path, data={"csrf_token": token[1], **values})


def test_an_expert_makes_pauses_resumes_and_deletes_a_coupon(runtime, browser, shop):  # noqa: F811
    client = browser(shop["owner"])
    assert "You have no coupons" in client.get("/expert/coupons").text
    suggested = re.search(r'name="code"[^>]*value="([A-Z0-9]{8})"', client.get("/expert/coupons/new").text)
    assert suggested is not None
    filled = {"code": "summer-10", "kind": "EUR", "value": "7,50", "listing": "", "last_day": "2026-12-24",
              "most_uses": "3", "once_each": "y"}  # fmt: skip
    assert submit(client, "/expert/coupons/new", **filled).status_code == 303
    again = submit(client, "/expert/coupons/new", **filled | {"code": "SUMMER-10"})
    assert again.status_code == 400
    assert "This code is taken" in again.text
    text = client.get("/expert/coupons").text
    for shown in ("SUMMER-10", "€7.50 off", "Used 0 of 3 times", "Dec 24, 2026", f"/e/{shop['slug']}?coupon=SUMMER-10"):
        assert shown in text
    with runtime.database.read() as db:
        found = db.scalars(select(Coupon)).one()
        assert (found.amount_minor, found.zone, found.once_each) == (750, "Europe/Berlin", True)
        path = f"/expert/coupons/{found.id}"
    for verb, left in (("pause", ["paused"]), ("resume", ["active"]), ("delete", [])):
        assert post(client, "/expert/coupons", f"{path}/{verb}").status_code == 303
        with runtime.database.read() as db:
            assert list(db.scalars(select(Coupon.state))) == left


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("code", "ab", "4 to 24"),
        ("code", "ÄÖÜ-10", "4 to 24"),
        ("value", "0", "from 1 to 100"),
        ("value", "101", "from 1 to 100"),
        ("value", "-5", "from 1 to 100"),
        ("last_day", "2026-11-23", "This day is over"),
        ("most_uses", "0", "from 1 to"),
        ("listing", "999999", "Not a valid choice"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field_and_nothing_is_made(runtime, browser, shop, field, value, said):  # noqa: F811
    filled = {"code": "SUMMER10", "kind": "percent", "value": "20", "listing": "", field: value}
    answer = submit(browser(shop["owner"]), "/expert/coupons/new", **filled)
    assert answer.status_code == 400
    assert said in answer.text
    with runtime.database.read() as db:
        assert list(db.scalars(select(Coupon))) == []


def test_others_neither_see_nor_change_an_experts_coupons(runtime, browser, shop):  # noqa: F811
    number = made(runtime, shop)
    with runtime.database.write() as db:
        other = make_expert(db, "Paula Fremd").owner.id
    client = browser(other)
    assert "SUMMER10" not in client.get("/expert/coupons").text
    post(client, "/expert/coupons/new", f"/expert/coupons/{number}/delete")
    with runtime.database.read() as db:
        assert db.get_one(Coupon, number).state == "active"


def test_the_checkout_takes_a_coupon_shows_what_is_to_pay_and_takes_it_out(runtime, browser, shop):  # noqa: F811
    made(runtime, shop, amount_minor=1000)
    client, checkout = browser(shop["customer"]), shop["checkout"]
    action = checkout.replace("checkout", "coupon")
    assert post(client, checkout, action, code="summer10").headers["Location"] == checkout
    text = client.get(checkout).text
    for shown in ("Coupon SUMMER10", "€25.00", "−€10.00", "Pay €15.00 and book", "Take the coupon out"):
        assert shown in text.replace("&minus;", "−")
    post(client, checkout, f"{action}/remove")
    assert "Pay €25.00 and book" in client.get(checkout).text
    post(client, checkout, action, code="SUMMER10")
    assert submit(client, checkout, agreed="2500").status_code == 409
    assert submit(client, checkout, agreed="1500").status_code == 303
    text = client.get(checkout.replace("/checkout", "")).text.replace("&minus;", "−")
    assert "Coupon SUMMER10" in text
    assert "−€10.00" in text
    with runtime.database.read() as db:
        booking = db.get_one(Booking, shop["booking"])
        assert (booking.state, booking.amount_minor) == ("confirmed", 1500)


def test_a_refused_code_is_said_beside_its_field_and_stays_in_it(runtime, browser, shop):  # noqa: F811
    client, checkout = browser(shop["customer"]), shop["checkout"]
    answer = post(client, checkout, checkout.replace("checkout", "coupon"), code="NOWHERE")
    assert answer.status_code == 400
    assert "There is no such coupon" in answer.text
    assert 'value="NOWHERE"' in answer.text
    assert "Pay €25.00 and book" in answer.text
    made(runtime, shop)
    gone = post(client, checkout, checkout.replace("checkout", "coupon"), code="")
    assert "Enter the code" in gone.text


def test_a_session_that_costs_nothing_with_the_coupon_is_booked_without_a_wallet(runtime, browser, shop):  # noqa: F811
    made(runtime, shop, percent=100)
    with runtime.database.write() as db:
        nobody = make_user(db, "Nina Without")
        booking = held(db, db.get_one(Listing, shop["listing"]), nobody, 5)
        number, checkout = booking.id, f"/bookings/{booking.public_id}/checkout"
        person = nobody.id
    client = browser(person)
    post(client, checkout, checkout.replace("checkout", "coupon"), code="SUMMER10")
    text = client.get(checkout).text
    assert "There is nothing to pay" in text
    assert "Your wallet" not in text
    assert submit(client, checkout, agreed="0").status_code == 303
    with runtime.database.read() as db:
        assert db.get_one(Booking, number).state == "confirmed"


def test_the_host_can_neither_pay_for_the_customer_nor_use_a_coupon_for_them(runtime, browser, shop):  # noqa: F811
    made(runtime, shop)
    client = browser(shop["owner"])
    assert client.get(shop["checkout"]).status_code == 303
    assert post(client, "/expert/coupons/new", shop["checkout"], agreed="2500").status_code == 303
    used = post(client, "/expert/coupons/new", shop["checkout"].replace("checkout", "coupon"), code="SUMMER10")
    assert used.status_code == 404
    with runtime.database.read() as db:
        booking = db.get_one(Booking, shop["booking"])
        assert (booking.state, booking.amount_minor) == ("held", 2500)


def test_a_link_brings_its_code_to_the_checkout(browser, shop):  # noqa: F811
    client = browser(shop["customer"])
    signing_in = browser().get(f"/book/{shop['listing']}?start=now&coupon=SUMMER10").headers["Location"]
    assert "coupon%3DSUMMER10" in signing_in
    page = client.get(f"/e/{shop['slug']}?coupon=summer10").text
    assert f'href="{shop["path"]}?coupon=SUMMER10"' in page
    page = client.get(f"{shop['path']}?coupon=summer10").text
    assert 'name="coupon" value="SUMMER10"' in page
    start = re.search(r'name="start" value="([^"]+)"', page)
    assert start is not None
    path = f"/book/{shop['listing']}?start={start[1]}&coupon=SUMMER10"
    assert re.search(r'name="coupon"[^>]*value="SUMMER10"', client.get(path).text)
    answer = submit(client, path, start=start[1], key="one", coupon="SUMMER10", **shop["answers"])
    assert answer.headers["Location"].endswith("/checkout?coupon=SUMMER10")
    assert re.search(r'name="code"[^>]*value="SUMMER10"', client.get(answer.headers["Location"]).text)


def test_what_is_no_code_is_not_carried_along(browser, shop):  # noqa: F811
    page = browser(shop["customer"]).get(f"{shop['path']}?coupon=%3Cscript%3E").text
    assert "script&gt;" not in page
    assert 'name="coupon"' not in page


def test_the_checkout_asks_little(runtime, browser, shop):  # noqa: F811
    made(runtime, shop)
    client, checkout, seen = browser(shop["customer"]), shop["checkout"], []
    post(client, checkout, checkout.replace("checkout", "coupon"), code="SUMMER10")
    client.get(checkout)

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement) if statement != "BEGIN" else None

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    try:
        assert client.get(checkout).status_code == 200
    finally:
        event.remove(runtime.database.engine, "before_cursor_execute", note)
    assert len(seen) <= MOST_QUERIES, "\n".join(seen)
