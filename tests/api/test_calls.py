"""What programs can do, what they are refused, and that a repeated request has one effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from helpouts import site
from helpouts.accounts.models import User
from helpouts.api import tokens
from helpouts.api.models import ApiAnswer, ApiToken
from helpouts.audit.actor import SYSTEM
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.jobs.service import enqueue
from helpouts.jobs.worker import Worker
from helpouts.testing.factories import make_customer, make_listing, make_user

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def bookings(api: Any) -> int:
    with api.runtime.database.read() as db:
        return db.scalar(select(func.count()).select_from(Booking)) or 0


def problem(answer: Any) -> tuple[int, str, str | None]:
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == answer.status_code
    assert answer.json["detail"]
    return answer.status_code, answer.json["code"], answer.json.get("field")


@one_database
def test_somebody_finds_a_listing_and_its_times_without_a_token(api: Any) -> None:
    page = api.get("/listings?q=router", token="").json
    assert [item["slug"] for item in page["items"]] == ["router"]
    assert (page["total"], page["page"], page["pages"]) == (1, 1, 1)
    listing = api.get("/listings/router", token="").json
    assert listing["lengths"] == [{"minutes": 30, "price_minor": 2500}, {"minutes": 60, "price_minor": 4500}]
    assert listing["bookable"] is True
    assert {question["key"] for question in listing["questions"]} >= set(api.answers)
    slots = api.get("/listings/router/slots?from=2026-11-25T00:00:00Z&to=2026-11-25T01:00:00Z", token="").json
    assert slots["starts"][0] == "2026-11-25T00:00:00Z"
    assert slots["length_minutes"] == 30


@one_database
def test_pages_do_not_overlap_and_end(api: Any) -> None:
    with api.runtime.database.write() as db:
        expert = db.scalars(select(Expert)).one()
        for number in range(4):
            make_listing(db, expert, slug=f"more-{number}")
    pages = [api.get(f"/listings?per_page=2&page={number}").json for number in (1, 2, 3, 4)]
    slugs = [item["slug"] for page in pages for item in page["items"]]
    assert len(slugs) == len(set(slugs)) == 5
    assert [page["total"] for page in pages] == [5] * 4
    assert pages[3]["items"] == []


def test_a_session_is_booked_paid_moved_and_cancelled(api: Any) -> None:
    answer = api.book(length_minutes=60, zone="Europe/Vienna")
    made = answer.json
    assert answer.status_code == 201
    assert (made["state"], made["amount_minor"], made["part"]) == ("confirmed", 4500, "customer")
    assert made["other"] == "Jonas Weber"
    assert api.get(f"/bookings/{made['id']}").json == made
    assert [item["id"] for item in api.get("/bookings?when=upcoming").json["items"]] == [made["id"]]
    later = api.start(4)
    moved = api.post(f"/bookings/{made['id']}/reschedule", {"start": later}).json
    assert moved["outcome"] == "done"
    assert moved["booking"]["starts_at"] == later.replace("+00:00", "Z")
    gone = api.post(f"/bookings/{made['id']}/cancel", {"reason": "ill"}).json
    assert (gone["booking"]["state"], gone["charged_minor"]) == ("cancelled", 0)
    assert problem(api.post(f"/bookings/{made['id']}/cancel", {}))[:2] == (409, "conflict")
    assert api.get("/bookings?when=upcoming").json["items"] == []


@one_database
def test_the_expert_proposes_where_the_customer_has_to_agree(api: Any) -> None:
    made = api.book().json
    token = api.token_for(api.host_id, "read", "book")
    moved = api.post(f"/bookings/{made['id']}/reschedule", {"start": api.start(5)}, token=token).json
    assert (moved["outcome"], moved["booking"]["part"]) == ("proposed", "expert")
    assert moved["booking"]["proposed_start"] is not None


def test_the_same_request_again_is_one_booking_with_the_same_answer(api: Any) -> None:
    body = {"listing": "router", "start": api.start(), "answers": api.answers}
    first, second = (api.post("/bookings", body, key='"a b"') for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert bookings(api) == 1
    other = api.post("/bookings", {**body, "start": api.start(3)}, key='"a b"')
    assert problem(other) == (422, "idempotency_key_reused", "Idempotency-Key")
    assert bookings(api) == 1


@one_database
def test_a_repeated_cancellation_with_a_key_is_answered_as_the_first(api: Any) -> None:
    path = f"/bookings/{api.book().json['id']}/cancel"
    assert api.post(path, {}, key="c").json == api.post(path, {}, key="c").json


@one_database
def test_a_refused_request_may_be_tried_again_with_its_key(api: Any) -> None:
    assert problem(api.book(answers={}))[0] == 400
    assert api.book().status_code == 201


@one_database
def test_keys_of_two_people_never_meet(api: Any) -> None:
    api.book("same")
    with api.runtime.database.write() as db:
        other = make_customer(db, "Otto Other").id
    token = api.token_for(other, "book")
    body = {"listing": "router", "start": api.start(3), "answers": api.answers}
    assert api.post("/bookings", body, key="same", token=token).status_code == 201
    assert bookings(api) == 2


@one_database
def test_kept_answers_are_forgotten_after_a_day(api: Any) -> None:
    api.book()
    clock.advance(timedelta(hours=25))
    with api.runtime.database.write() as db:
        enqueue(db, "api.forget")
    Worker(api.runtime).drain()
    with api.runtime.database.read() as db:
        assert db.scalars(select(ApiAnswer)).all() == []


def test_a_time_that_is_taken_is_a_conflict_at_the_start(api: Any) -> None:
    start = api.start()
    api.book(start=start)
    with api.runtime.database.write() as db:
        other = make_customer(db, "Otto Other").id
    body = {"listing": "router", "start": start, "answers": api.answers}
    refused = api.post("/bookings", body, key="x", token=api.token_for(other, "book"))
    assert problem(refused) == (409, "conflict", "start")
    assert bookings(api) == 1


@one_database
def test_without_the_money_nothing_is_booked(api: Any) -> None:
    with api.runtime.database.write() as db:
        poor = make_user(db, "Paul Poor").id
        api.runtime.registry.fill_demo(db, [], [])
    body = {"listing": "router", "start": api.start(), "answers": api.answers}
    refused = api.post("/bookings", body, key="x", token=api.token_for(poor, "book"))
    assert problem(refused)[0] in (402, 503)
    assert bookings(api) == 0


@one_database
@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"listing": None}, 400, "listing"),
        ({"listing": 7}, 400, "listing"),
        ({"listing": "nowhere"}, 404, "listing"),
        ({"start": "tomorrow"}, 400, "start"),
        ({"start": "2026-11-26T10:00:00"}, 400, "start"),
        ({"start": "2026-11-26T10:01:00Z"}, 409, "start"),
        ({"start": "0001-01-01T00:00:00+23:59"}, 400, "start"),
        ({"length_minutes": 45}, 400, "length"),
        ({"length_minutes": "30"}, 400, "length_minutes"),
        ({"length_minutes": True}, 400, "length_minutes"),
        ({"zone": "Mars/Base"}, 400, "zone"),
        ({"answers": []}, 400, "answers"),
        ({"price_minor": 1}, 400, "price_minor"),
        ({"listing": "x" * 3000}, 400, "listing"),
        ({"listing": "a\x00"}, 400, "listing"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_at_its_member(api: Any, changes: Any, status: int, field: str) -> None:
    found = problem(api.book(**changes))
    assert (found[0], found[2]) == (status, field)
    assert bookings(api) == 0


@one_database
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"x"'])
def test_a_body_that_is_no_object_is_refused(api: Any, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = api.app.test_client().post("/api/v1/bookings", data=body, headers=headers)
    assert problem(answer)[0] == 400


@one_database
@pytest.mark.parametrize("key", ["", "x" * 65, '"broken', "ä"])
def test_a_booking_needs_a_key(api: Any, key: str) -> None:
    assert problem(api.book(key)) == (400, "invalid", "Idempotency-Key")


@one_database
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/listings?per_page=0", "per_page"),
        ("/listings?per_page=x", "per_page"),
        ("/listings/router/slots?from=x", "from"),
        ("/listings/router/slots?from=2026-11-25T00:00:00Z&to=2027-11-25T00:00:00Z", "to"),
        ("/listings/router/slots?from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z", "to"),
        ("/listings/router/slots?length=45", "length"),
        ("/bookings?when=once", "when"),
        ("/bookings?page=-1", "page"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_at_its_parameter(api: Any, path: str, field: str) -> None:
    assert problem(api.get(path)) == (400, "invalid", field)


@one_database
def test_what_is_not_there_is_a_problem_too(api: Any) -> None:
    assert problem(api.get("/listings/none"))[0] == 404
    assert problem(api.get("/nowhere"))[0] == 404
    assert problem(api.post("/listings", {}))[0] == 405


@one_database
def test_a_strangers_booking_is_not_there(api: Any) -> None:
    path = f"/bookings/{api.book().json['id']}"
    with api.runtime.database.write() as db:
        stranger = make_user(db, "Sara Stranger").id
    token = api.token_for(stranger, "read", "book")
    assert problem(api.get(path, token=token))[0] == 404
    assert problem(api.post(f"{path}/cancel", {}, token=token))[0] == 404
    assert api.get("/bookings", token=token).json["total"] == 0


@one_database
def test_a_cookie_opens_nothing_and_none_is_set(api: Any) -> None:
    client = api.app.test_client()
    page = client.get("/login")
    assert page.status_code == 200
    answer = client.get("/api/v1/bookings")
    assert problem(answer)[0] == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in api.get("/bookings").headers


@one_database
@pytest.mark.parametrize("token", ["nonsense", "helpouts_wrong", "helpouts_" + "x" * 500])
def test_a_bad_token_is_refused_even_where_none_is_needed(api: Any, token: str) -> None:
    assert problem(api.get("/listings", token=token)) == (401, "unauthorized", None)


@one_database
def test_a_token_ends_when_it_is_revoked_or_its_person_locked(api: Any) -> None:
    with api.runtime.database.write() as db:
        db.execute(update(User).where(User.id == api.customer_id).values(active=False))
    assert api.get("/bookings").status_code == 401
    with api.runtime.database.write() as db:
        db.execute(update(User).where(User.id == api.customer_id).values(active=True))
    assert api.get("/bookings").status_code == 200
    with api.runtime.database.write() as db:
        row = db.scalars(select(ApiToken)).one()
        assert row.last_used_at == clock.now()
        assert not tokens.revoke(db, api.host_id, row.id), "somebody else's"
        assert tokens.revoke(db, api.customer_id, row.id)
    assert api.get("/bookings").status_code == 401


@one_database
def test_the_token_itself_is_not_kept(api: Any) -> None:
    with api.runtime.database.read() as db:
        row = db.scalars(select(ApiToken)).one()
    assert api.token.startswith("helpouts_")
    assert api.token not in str(vars(row))


@one_database
@pytest.mark.parametrize(("name", "scopes"), [("", ["read"]), ("x" * 81, ["read"]), ("x", []), ("x", ["admin"])])
def test_a_token_without_a_name_or_a_sensible_scope_is_refused(api: Any, name: str, scopes: list[str]) -> None:
    with api.runtime.database.write() as db, pytest.raises(HelpoutsError):
        tokens.create(db, api.customer_id, name, scopes)


@one_database
def test_who_asks_too_often_is_told_to_wait(api: Any) -> None:
    for _ in range(20):
        assert api.post("/bookings/none/cancel", {}).status_code == 404
    refused = api.post("/bookings/none/cancel", {})
    assert problem(refused)[:2] == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert api.get("/bookings").status_code == 200, "looking has a rate of its own"


@one_database
def test_a_closed_site_is_closed_for_programs_too(api: Any) -> None:
    with api.runtime.database.write() as db:
        site.put(db, "state", "invitation_only", SYSTEM)
    assert problem(api.get("/listings", token=""))[0] == 403
    assert api.get("/listings").status_code == 200
    with api.runtime.database.write() as db:
        site.put(db, "state", "prelaunch", SYSTEM)
    assert problem(api.get("/listings"))[0] == 403


@one_database
def test_problems_are_told_in_the_language_that_is_asked_for(api: Any) -> None:
    client = api.app.test_client()
    german = client.get("/api/v1/bookings/x", headers={"Authorization": f"Bearer {api.token}", "Accept-Language": "de"})
    assert german.json["detail"] != api.get("/bookings/x").json["detail"]
