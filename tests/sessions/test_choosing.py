"""Which video transport a room opens with."""

from __future__ import annotations

import pytest

from helpouts import site
from helpouts.audit.actor import SYSTEM
from helpouts.errors import HelpoutsError
from helpouts.plugins.service import set_enabled
from helpouts.runtime import Runtime
from helpouts.sessions import service
from helpouts.sessions.choosing import likely_transports, transport_name
from helpouts.testing import dummy_transport
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing


@pytest.fixture
def choosing(runtime, registry_factory):
    """A site with two transports, aiortc the configured one; a writing session."""
    registry = registry_factory()
    registry.add("video_dummy", lambda: dummy_transport)
    made = Runtime(runtime.config, runtime.database, registry)
    with made.database.write() as db:
        yield db


def choose(db, **values):
    for key, value in values.items():
        site.put(db, key, value, SYSTEM)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "aiortc"),
        ({"video_transport": "dummy"}, "dummy"),
        ({"video_transports": {"it": "dummy"}}, "dummy"),
        ({"video_transports": {"fashion": "dummy"}}, "aiortc"),
        ({"video_transport": "dummy", "video_transports": {"it": "aiortc"}}, "aiortc"),
        ({"video_transport": "dummy", "video_transports": {"it": "gone"}}, "dummy"),
        ({"video_transport": "gone"}, "aiortc"),
    ],
)
def test_the_category_decides_before_the_site_and_the_configuration(choosing, chosen, expected):
    choose(choosing, **chosen)
    assert transport_name(choosing, "it") == expected


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ["aiortc"]),
        ({"video_transport": "dummy", "video_transports": {"it": "aiortc", "fashion": "dummy"}}, ["dummy", "aiortc"]),
        ({"video_transports": {"it": "gone"}}, ["aiortc"]),
    ],
)
def test_a_live_process_gets_ready_for_what_is_chosen(choosing, chosen, expected):
    choose(choosing, **chosen)
    assert likely_transports(choosing) == expected


def test_one_whose_plugin_is_off_is_passed_over(choosing):
    choose(choosing, video_transports={"it": "dummy"})
    set_enabled(choosing, "video_dummy", False, SYSTEM)
    assert transport_name(choosing, "it") == "aiortc"


def test_an_open_room_keeps_its_transport_and_the_next_one_has_the_new(choosing):
    rooms = [
        service.session_of(
            choosing, make_booking(choosing, make_listing(choosing, make_expert(choosing)), make_customer(choosing))
        )
        for _room in range(2)
    ]
    service.join(choosing, rooms[0], rooms[0].booking.host_id, "n1", "")
    choose(choosing, video_transports={"it": "dummy"})
    for room in rooms:
        service.join(choosing, room, room.booking.customer_id, "n1", "")
    assert [room.transport for room in rooms] == ["aiortc", "dummy"]


def test_what_is_no_name_is_refused(choosing):
    with pytest.raises(HelpoutsError):
        choose(choosing, video_transports={"it": 7})
