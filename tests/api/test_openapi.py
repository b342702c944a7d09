"""The description is valid OpenAPI 3.1, names every route, and answers have the shapes that it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from helpouts.api.openapi import document
from helpouts.api.routes import ROUTES
from helpouts.testing.factories import make_user

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def fits(answer: Any, shape: str) -> list[str]:
    """What does not fit in an answer."""
    whole = document("Site", "https://helpouts.example")
    schema = {"$ref": f"#/components/schemas/{shape}", "components": whole["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(answer)]


def test_the_document_is_valid_and_is_served_to_everybody(api: Any) -> None:
    answer = api.get("/openapi.json", token="")
    assert answer.status_code == 200
    assert list(OpenAPIV31SpecValidator(answer.json).iter_errors()) == []
    assert answer.json["openapi"].startswith("3.1")


def test_every_route_of_the_application_is_in_it(api: Any) -> None:
    paths = api.get("/openapi.json", token="").json["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")))
        for rule in api.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.openapi"
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert described == served
    assert len(served) == len(ROUTES) == 8


def test_answers_have_the_shapes_that_are_described(api: Any) -> None:
    seen = {"ListingPage": api.get("/listings").json, "Listing": api.get("/listings/router").json}
    seen["Slots"] = api.get("/listings/router/slots").json
    seen["Booking"] = booking = api.book().json
    seen["BookingPage"] = api.get("/bookings").json
    path = f"/bookings/{booking['id']}"
    seen["Moved"] = api.post(f"{path}/reschedule", {"start": api.start(3)}).json
    seen["Cancelled"] = api.post(f"{path}/cancel", {"reason": "ill"}).json
    seen["Problem"] = api.get("/bookings/none").json
    assert {shape: fits(answer, shape) for shape, answer in seen.items()} == {shape: [] for shape in seen}
    assert {route.answer[1] for route in ROUTES} <= set(seen)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_route_asks_for_the_scope_that_it_declares(api: Any, route: Any) -> None:
    path = route.path.replace("{slug}", "router").replace("{id}", "x")
    with api.runtime.database.write() as db:
        user_id = make_user(db).id
    other = api.token_for(user_id, "book" if route.scope == "read" else "read")
    body = {} if route.method == "POST" else None
    without, wrong = (api.call(route.method, path, body, token=token).status_code for token in ("", other))
    assert (without, wrong) == ((401, 403) if route.scope else (200, 200))
