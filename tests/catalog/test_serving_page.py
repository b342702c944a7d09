"""The page on which a company says who serves a listing."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from shop import make_expert, make_listing, make_user
from sqlalchemy import select

from helpouts.accounts.service import create_user
from helpouts.catalog.models import Expert, ExpertMember, Listing, ListingMember
from helpouts.runtime import Runtime
from helpouts.web.app import create_app

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def company(runtime: Runtime) -> tuple[int, list[int]]:
    """The listing of a company with three members, and their ids, the owner's first."""
    with runtime.database.write() as db:
        owner = create_user(db, "ada@example.org", PASSWORD, "Ada Wrench", ("expert",), confirmed=True)
        expert = make_expert(db, "Wrench and Sons")
        for member in expert.members:
            db.delete(member)
        db.flush()
        people = [owner, make_user(db, "bo"), make_user(db, "cy")]
        for user in people:
            db.add(ExpertMember(expert_id=expert.id, user_id=user.id, role="owner" if user is owner else "member"))
        db.flush()
        db.refresh(expert)
        return make_listing(db, expert, "Fix your bicycle").id, [user.id for user in people]


@pytest.fixture
def ada(runtime: Runtime, company: tuple[int, list[int]]) -> FlaskClient:
    client = create_app(runtime).test_client()
    page = client.get("/login").text
    sent = {"csrf_token": _token(page), "email": "ada@example.org", "password": PASSWORD}
    assert client.post("/login", data=sent).status_code == 302
    return client


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_page_shows_everybody_and_keeps_what_is_chosen(
    ada: FlaskClient, runtime: Runtime, company: tuple[int, list[int]]
) -> None:
    listing_id, (owner, bo, cy) = company
    path = f"/expert/listings/{listing_id}/people"
    assert f'href="{path}"' in ada.get(f"/expert/listings/{listing_id}").text
    page = ada.get(path).text
    assert page.count('<option selected value="0">') == 0, "without a choice everybody serves"
    sent = {"csrf_token": _token(page), "serving": "priority", "host_choice": "y"}
    places = {f"place_{owner}": "0", f"place_{bo}": "2", f"place_{cy}": "1"}
    assert ada.post(path, data=sent | places).status_code == 303
    with runtime.database.read() as db:
        listing = db.get_one(Listing, listing_id)
        assert (listing.serving, listing.host_choice) == ("priority", True)
        rows = db.scalars(select(ListingMember).order_by(ListingMember.priority))
        assert [row.user_id for row in rows] == [cy, bo]
    assert ada.get(path).text.count('<option selected value="0">') == 1


def test_a_rule_that_there_is_not_changes_nothing(
    ada: FlaskClient, runtime: Runtime, company: tuple[int, list[int]]
) -> None:
    path = f"/expert/listings/{company[0]}/people"
    sent = {"csrf_token": _token(ada.get(path).text), "serving": "dice"}
    assert ada.post(path, data=sent).status_code == 400
    with runtime.database.read() as db:
        assert db.get_one(Listing, company[0]).serving == "any"


def test_a_stranger_finds_no_such_page(runtime: Runtime, company: tuple[int, list[int]]) -> None:
    client = create_app(runtime).test_client()
    assert client.get(f"/expert/listings/{company[0]}/people").status_code == 302
    with runtime.database.read() as db:
        assert db.scalar(select(Expert.id)) is not None
