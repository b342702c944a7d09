"""The pages of help right now as a browser without scripts sees them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.instant import offers, presence
from helpouts.instant.models import InstantOffer, InstantRequest
from helpouts.testing.factories import make_customer, make_expert, make_listing, make_user
from helpouts.web.app import create_app

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # pages ask no database anything new


class Shop:
    """An available expert, a customer, and the browsers of both."""

    def __init__(self, runtime) -> None:
        self.runtime, self.app = runtime, create_app(runtime, WTF_CSRF_ENABLED=False)
        with runtime.database.write() as db:
            self.listing = make_listing(db, make_expert(db))
            self.host, self.customer = self.listing.expert.owner.id, make_customer(db).id
            self.poor = make_user(db, "Paul Poor").id
            presence.turn(db, self.host, True)
            presence.beat(db, "n1", [self.host])

    def browser(self, user_id):
        """Somebody's browser, signed in."""
        client = self.app.test_client()
        with self.runtime.database.read() as db:
            known = db.get_one(User, user_id).fs_uniquifier
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"], session["fs_cc"] = known, True, "set"
        return client

    def answers(self, page):
        """Something for every question of the form."""
        given = {"key": re.search(r'name="key"[^>]*value="([^"]+)"', page)[1]}
        for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
            given[name] = next(value for value in re.findall(r'value="([^"]*)"', options) if value)
        given |= dict.fromkeys(re.findall(r'<(?:textarea|input)[^>]*name="(intake_\w+)"', page), "It blinks")
        return given

    def ask(self, user_id, query):
        """Fill the form and send it."""
        client = self.browser(user_id)
        page = client.get(f"/now?{query}")
        return client, client.post(f"/now?{query}", data=self.answers(page.text))

    def one(self, model):
        """The only row."""
        with self.runtime.database.read() as db:
            found = db.scalars(select(model)).unique().one()
            db.expunge_all()
            return found


@pytest.fixture
def shop(runtime):
    """An available expert and people who need help."""
    return Shop(runtime)


@pytest.mark.parametrize("query", ["listing={slug}", "category=it", "category=it&sub=networks"])
def test_asking_leads_to_the_waiting_page_which_reloads_itself(shop, query):
    client, answer = shop.ask(shop.customer, query.format(slug=shop.listing.slug))
    assert answer.status_code == 303, answer.text
    page = client.get(answer.location)
    assert "It is ringing at Jonas Weber" in page.text
    assert '<noscript><meta http-equiv="refresh" content="5">' in page.text
    assert client.get("/now").location == answer.location
    assert "You are waiting for help." in client.get("/account").text


def test_others_write_while_it_is_looked_at_who_is_there(shop, others_write):
    others_write(offers, "caps")
    _client, answer = shop.ask(shop.customer, "category=it")
    assert answer.status_code == 303, answer.text


def test_the_expert_answers_without_scripts_and_both_find_the_room(shop):
    client, answer = shop.ask(shop.customer, f"listing={shop.listing.slug}")
    offer = shop.one(InstantOffer)
    expert = shop.browser(shop.host)
    page = expert.get(f"/desk/offers/{offer.public_id}")
    assert "Clara asks for your help" in page.text
    room = expert.post(f"/desk/offers/{offer.public_id}/accept").location
    assert room.startswith("/room/")
    assert room in client.get(answer.location).text
    again = expert.post(f"/desk/offers/{offer.public_id}/accept", headers={"Accept": "application/json"})
    assert (again.status_code, again.json["error"]) == (409, "You have answered on another device.")


def test_leaving_is_one_click_and_says_that_nothing_was_charged(shop):
    client, answer = shop.ask(shop.customer, f"listing={shop.listing.slug}")
    assert client.post(f"{answer.location}/leave").status_code == 303
    assert "You have withdrawn your request" in client.get(answer.location).text
    assert shop.one(InstantRequest).state == "withdrawn"


@pytest.mark.parametrize("query", ["category=fashion", "category=education&sub=math"])
def test_a_field_in_which_nobody_is_there_says_so_and_offers_something_else(shop, query):
    page = shop.browser(shop.customer).get(f"/now?{query}")
    assert page.status_code == 200
    assert "Nobody is available right now" in page.text
    assert "Find a time with somebody else" in page.text


def test_a_listing_whose_expert_has_gone_offers_its_next_time(shop):
    with shop.runtime.database.write() as db:
        presence.turn(db, shop.host, False)
    page = shop.browser(shop.customer).get(f"/now?listing={shop.listing.slug}")
    assert "Jonas Weber is not there at the moment" in page.text
    assert re.search(r"Book \w+", page.text)


def test_somebody_without_a_wallet_is_sent_to_set_it_up(shop):
    page = shop.browser(shop.poor).get(f"/now?listing={shop.listing.slug}")
    assert "Set up your wallet first" in page.text
    _client, answer = shop.ask(shop.poor, "category=it")
    assert answer.status_code == 400
    assert "Set up your wallet before you book." in answer.text
    with shop.runtime.database.read() as db:
        assert db.scalars(select(InstantOffer)).all() == []


def test_unknown_listings_fields_and_requests_of_others_are_not_found(shop):
    client, answer = shop.ask(shop.customer, f"listing={shop.listing.slug}")
    other = shop.browser(shop.poor)
    assert other.get(answer.location).status_code == 404
    assert other.get(f"/desk/offers/{shop.one(InstantOffer).public_id}").status_code == 404
    assert other.get("/now?listing=nothing").status_code == 404
    assert "What is it about?" in other.get("/now?category=nothing").text
    assert client.get(f"{answer.location}/status").status_code == 200


def test_the_expert_who_was_only_guessed_does_not_see_the_booking(shop):
    shop.ask(shop.customer, f"listing={shop.listing.slug}")
    path = f"/bookings/{shop.one(InstantRequest).booking.public_id}"
    assert shop.browser(shop.host).get(path).status_code == 404
    assert "Requested" not in shop.browser(shop.customer).get("/account").text


def test_the_switch_is_for_experts_only(shop):
    expert = shop.browser(shop.host)
    assert 'aria-checked="true"' in expert.get("/expert").text
    assert expert.post("/desk/switch", data={"on": ""}).status_code == 303
    assert 'aria-checked="false"' in expert.get("/expert").text
    assert shop.browser(shop.customer).post("/desk/switch", data={"on": "1"}).status_code == 403
    assert 'role="switch"' not in shop.browser(shop.customer).get("/account").text


def test_without_a_live_process_there_is_no_ticket_but_a_message(shop):
    answer = shop.browser(shop.host).post("/desk/ticket")
    assert answer.status_code == 503
    assert "try again in a minute" in answer.json["error"]


def test_the_page_of_a_listing_offers_help_now_while_its_expert_is_there(shop):
    path = f"/l/{shop.listing.slug}"
    assert "Get help now" in shop.app.test_client().get(path).text
    with shop.runtime.database.write() as db:
        presence.turn(db, shop.host, False)
    assert "Get help now" not in shop.app.test_client().get(path).text
