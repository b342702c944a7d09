"""A live process dies in the middle of a call, and another one takes over: two Chromium pages, nobody clicks."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest

from helpouts import site as site_settings
from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.testing.room import Call, heard, until
from helpouts.testing.site import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
FIRST = "0first"  # the name decides where a room goes while all processes are empty


@pytest.fixture(params=[("aiortc", "sqlite"), ("p2p", "postgresql")], ids=["aiortc", "p2p"])
def site(request, tmp_path):
    """A site with two live processes; the one that gets the room is not started again."""
    transport, database = request.param
    url = ""
    if database == "postgresql":
        url = request.getfixturevalue("postgres").create(f"takeover_{secrets.token_hex(4)}")
    with serving(tmp_path, database_url=url, further=[FIRST]) as made:
        with made.runtime().database.write() as db:
            site_settings.put(db, "video_transport", transport, SYSTEM)
        yield made


def test_another_process_takes_over_and_both_are_in_the_same_call_without_a_click(chromium, site):
    call = Call(chromium, site)
    expert, customer = call.pages
    for page in call.pages:
        call.wait_for_media(page)
    assert call.node() == FIRST
    call.say(customer, "before")
    until(expert, lambda: call.lines(expert) == ["before"])

    site.kill_live(FIRST)
    killed_at = clock.now()
    call.say(customer, "Is anybody there?")
    until(customer, lambda: call.node() != FIRST)
    for page in call.pages:
        call.wait_for_both(page)
    back_at = clock.now()
    for page in call.pages:
        call.wait_for_media(page)
        assert heard(page, 2500) > 0, "nothing is heard"
    call.say(expert, "Yes, here I am.")
    wanted = ["before", "Is anybody there?", "Yes, here I am."]
    for page in call.pages:
        until(page, lambda page=page: call.lines(page) == wanted)
    assert call.kept() == wanted

    rows = call.presences()
    before, after = rows[:2], rows[2:]
    assert {row.node for row in before} == {FIRST}
    assert all(killed_at - timedelta(seconds=2.5) <= row.left_at <= killed_at for row in before)
    assert all(killed_at < row.joined_at <= back_at for row in after)
    together = min(row.left_at for row in before) - max(row.joined_at for row in before)
    again = clock.now() - max(row.joined_at for row in after)
    assert call.connected() == pytest.approx((together + again).total_seconds(), abs=1)
    call.close()
