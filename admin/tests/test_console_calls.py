"""Operators see who asks for one, and the first to take a call enters the room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock
from helpouts.runtime import Runtime
from helpouts.sessions import service, support
from helpouts.sessions.models import LiveNode
from helpouts.sessions.support_models import SupportRequest
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing


@pytest.fixture
def call(runtime: Runtime) -> SupportRequest:
    """One of two people in a room that is open asks for an operator."""
    with runtime.database.write() as db:
        booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        clock.set(booking.starts_at)
        session = service.session_of(db, booking)
        assert session is not None
        for user_id in (booking.host_id, booking.customer_id):
            service.join(db, session, user_id, "n1", "")
        db.add(LiveNode(name="n1", public_url="http://live.example", heartbeat_at=clock.now()))
        made = support.ask(db, session, "We do not agree.", Actor("customer", booking.customer_id))
        assert made.session.room_id
        return made


def test_support_is_told_on_the_first_page_and_beside_the_rooms(
    enter: Callable[..., FlaskClient], call: SupportRequest
) -> None:
    client = enter("support")
    for path in ("/console/", "/console/rooms/"):
        assert "/console/calls/?flt0_0=open" in client.get(path).text, path
    assert "1 session asks for an operator" in client.get("/console/rooms/").text
    assert "We do not agree." in client.get("/console/calls/").text
    assert "Open the call" in client.get(f"/console/rooms/details/?id={call.session_id}").text


def test_a_notice_leads_to_the_call_until_somebody_has_taken_it(
    enter: Callable[..., FlaskClient], send: Callable[..., Any], call: SupportRequest
) -> None:
    client, room = enter("support"), f"/room/{call.session.room_id}/operator"
    led = client.get(room)
    assert (led.status_code, led.location) == (302, f"/console/calls/details/?id={call.id}")
    assert "We do not agree." in client.get(led.location).text
    assert enter("curator").get(room).status_code == 403
    send(client, f"/console/calls/{call.id}/take/")
    assert client.get(room).status_code == 200


def test_the_first_to_take_it_enters_the_room_and_the_second_is_told(
    runtime: Runtime,
    enter: Callable[..., FlaskClient],
    send: Callable[..., Any],
    people: dict[str, User],
    call: SupportRequest,
) -> None:
    first, second = enter("support"), enter("admin")
    path, room = f"/console/calls/{call.id}/take/", f"/room/{call.session.room_id}/operator"
    taken = send(first, path)
    assert (taken.status_code, taken.location) == (303, f"{room}?back=/console/calls/details/?id%3D{call.id}")
    page = first.get(taken.location)
    assert page.status_code == 200
    for text in (
        "We do not agree.",
        "from the moment of the request on",
        f'href="/console/calls/details/?id={call.id}"',
    ):
        assert text in page.text
    refused = send(second, path)
    assert (refused.status_code, "Another operator has taken it." in refused.text) == (400, True)
    assert second.get(room).status_code == 403
    assert "Enter the room" in first.get(f"/console/calls/details/?id={call.id}").text
    assert "Enter the room" not in second.get(f"/console/calls/details/?id={call.id}").text
    with runtime.database.read() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "support.take")).one()
        assert (entry.actor_id, entry.subject_id) == (people["support"].id, str(call.id))


def test_a_call_that_was_taken_back_is_not_entered(
    runtime: Runtime, enter: Callable[..., FlaskClient], send: Callable[..., Any], call: SupportRequest
) -> None:
    client = enter("support")
    with runtime.database.write() as db:
        row = db.get_one(SupportRequest, call.id)
        support.withdraw(db, row.session, Actor("customer", row.asked_by))
    refused = send(client, f"/console/calls/{call.id}/take/")
    assert (refused.status_code, "do not ask for an operator any more" in refused.text) == (400, True)


@pytest.mark.parametrize("role", ["curator", "finance", "customer"])
def test_others_neither_see_calls_nor_get_into_the_room(
    enter: Callable[..., FlaskClient], send: Callable[..., Any], call: SupportRequest, role: str
) -> None:
    client, on = enter(role), "/console/" if role != "customer" else "/"
    room = f"/room/{call.session.room_id}/operator"
    assert client.get("/console/calls/").status_code == 403
    assert client.get(room).status_code == 403
    assert send(client, f"{room}/ticket", on=on).status_code == 403


def test_a_ticket_is_for_who_has_taken_the_call(
    enter: Callable[..., FlaskClient], send: Callable[..., Any], call: SupportRequest
) -> None:
    client, other = enter("support"), enter("admin")
    path = f"/room/{call.session.room_id}/operator/ticket"
    assert send(client, path).status_code == 403  # seen, but not taken
    send(client, f"/console/calls/{call.id}/take/")
    issued = send(client, path)
    assert (issued.status_code, issued.json["url"]) == (200, "ws://live.example/ws")
    assert send(other, path).status_code == 403


def test_the_way_back_leads_nowhere_else(
    enter: Callable[..., FlaskClient], send: Callable[..., Any], call: SupportRequest
) -> None:
    client = enter("support")
    send(client, f"/console/calls/{call.id}/take/")
    page = client.get(f"/room/{call.session.room_id}/operator?back=//evil.example")
    assert "evil.example" not in page.text.split("<main")[1].split("</main")[0]
