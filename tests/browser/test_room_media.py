"""The media side of the room page: what is said before the call, and devices, screen, views and quality during it."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from helpouts.clock import clock
from helpouts.testing.factories import make_booking
from helpouts.testing.network import network
from helpouts.testing.plugin import require
from helpouts.testing.room import heard, make_pair, person, until
from helpouts.testing.site import Site

from .conftest import ARGUMENTS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
FAKES = [
    *[argument for argument in ARGUMENTS if "fake-device" not in argument],
    "--use-fake-device-for-media-stream=device-count=3",  # the second shows depths, which no call can carry
    "--auto-select-desktop-capture-source=Entire screen",
]
# Errors of the devices by kind, as a test wants them; and the screen that was given, to end it from outside.
WISHES = """
window.trouble = {};
const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  for (const kind of ["audio", "video"]) if (wish[kind] && trouble[kind]) throw new DOMException("", trouble[kind]);
  const stream = await native(wish);
  for (const track of stream.getTracks()) window[track.kind] = track;
  return stream;
};
const display = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getDisplayMedia = async (wish) => (window.shared = await display(wish));
window.speakers = [];
const Native = AudioContext;
window.AudioContext = class extends Native {
  constructor(options) {
    super(options);
    if (options?.sinkId) speakers.push([options.sinkId, this]);
  }
};
window.outputs = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (...all) {
  outputs.push(all[0].constructor.name);
  return connect.apply(this, all);
};
"""


@pytest.fixture(scope="module")
def browser():
    """Chromium with several cameras, and a screen that may be shared without a question."""
    path = shutil.which("chromium")
    if path is None:
        require("Chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FAKES)
        yield launched
        launched.close()


def make_call(site, begins_in: float = 0):
    """(public id, expert's address, customer's address) of a booking."""
    listing, customer, expert = make_pair(site, pricing="per_minute", price_minor=90)
    with site.runtime().database.write() as db:
        booking = make_booking(db, listing, customer)
        booking.starts_at = clock.now() + timedelta(seconds=begins_in)
        booking.ends_at = booking.starts_at + timedelta(minutes=30)
        return booking.public_id, expert.email, customer.email


def check_page(browser, site, email: str, public_id: str) -> Page:
    """The device check of somebody."""
    page = person(browser, site, email)
    page.add_init_script(WISHES)
    page.goto(f"{site.url}/bookings/{public_id}")
    page.get_by_role("link", name="Enter the room").click()
    expect(page.locator("[data-join]")).to_be_enabled(timeout=20_000)
    return page


def state(page: Page, key: str) -> str | None:
    """What the room's element says of itself."""
    return page.evaluate("key => document.getElementById('room').dataset[key] ?? null", key)


def join(*pages: Page) -> None:
    """Into the call, all of them."""
    for page in pages:
        page.click("[data-join]")
    for page in pages:
        until(page, lambda page=page: (state(page, "media"), state(page, "peer")) == ("connected", "true"), 40)


def frames(page: Page) -> int:
    """Pictures of the other side that were shown."""
    return page.evaluate("document.querySelector('[data-remote]').getVideoPlaybackQuality().totalVideoFrames")


def plays(page: Page) -> None:
    """Fresh pictures arrive."""
    before = frames(page)
    until(page, lambda: frames(page) > before + 3, 30, "no pictures")


TROUBLES = [
    ({"audio": "NotAllowedError", "video": "NotAllowedError"}, "Allow both in the address bar"),
    ({"video": "NotAllowedError"}, "use your camera. Allow it"),
    ({"video": "NotFoundError"}, "No camera was found"),
    ({"video": "NotReadableError"}, "Another program is using your camera"),
    ({"audio": "NotAllowedError"}, "use your microphone. Allow it"),
    ({"audio": "NotFoundError"}, "No microphone was found"),
    ({"audio": "NotReadableError"}, "Another program is using your microphone"),
    ({}, "You look and sound good"),
]
GOOD = {"path": "udp", "rttMs": 40, "lossPercent": 0, "kbps": 1500}
NETWORKS = [
    (GOOD, "Your network is good enough for video."),
    (GOOD | {"path": "tcp"}, "only on a slow way"),
    (GOOD | {"kbps": 300}, "Sound will be fine, the picture may stutter."),
    (GOOD | {"lossPercent": 10}, "Sound will be fine, the picture may stutter."),
    (GOOD | {"rttMs": 900}, "Sound will be fine, the picture may stutter."),
    (GOOD | {"kbps": 60}, "Your network is very slow"),
    ({"path": None, "rttMs": None, "lossPercent": 100, "kbps": 0}, "Video cannot get through this network."),
    (None, "Your network is good enough for video."),
]


def test_the_check_says_in_words_what_is_wrong_and_what_to_do(browser, site):
    public_id, email, _other = make_call(site)
    page = person(browser, site, email)
    page.add_init_script(WISHES)
    fake = "export const check = () => new Promise((done) => setTimeout(() => done(window.found), 400));"
    page.route(
        "**/video_aiortc/static/transport.js*", lambda route: route.fulfill(body=fake, content_type="text/javascript")
    )
    page.goto(f"{site.url}/bookings/{public_id}")
    page.get_by_role("link", name="Enter the room").click()
    for trouble, words in TROUBLES:
        page.evaluate("trouble => { window.trouble = trouble; }", trouble)
        page.evaluate("document.querySelector('[data-retry]').click()")
        expect(page.locator("[data-verdict]")).to_contain_text(words)
        expect(page.locator("[data-join]")).to_be_enabled()
    for found, words in NETWORKS:
        page.evaluate(
            "found => { window.found = found; document.querySelector('[data-network-again]').click(); }", found
        )
        expect(page.locator("p[data-network]")).to_contain_text("Trying the network")
        expect(page.locator("p[data-network]")).to_contain_text(words)
    page.route(
        "**/room/*/ticket", lambda route: route.fulfill(status=503, json={"error": "later", "code": "unavailable"})
    )
    page.evaluate("document.querySelector('[data-network-again]').click()")
    expect(page.locator("p[data-network]")).to_contain_text("The video service does not answer.")
    assert page.script_errors == []
    page.context.close()


def test_a_call_from_the_check_over_the_waiting_room_to_sound_only(browser, site):
    public_id, expert_mail, customer_mail = make_call(site, begins_in=300)
    expert = check_page(browser, site, expert_mail, public_id)
    until(
        expert, lambda: state(expert, "network") in ("good", "fair", "poor"), 40, "no verdict on a network that works"
    )
    expert.click("[data-join]")
    waiting = expert.locator(".room-waiting")
    expect(waiting).to_contain_text("Clara Berg is expected at")
    expect(waiting).to_contain_text("The meter does not run yet")
    expect(expert.locator("[data-countdown]")).to_have_text(re.compile(r"Begins in 0[34]:\d\d"))
    customer = check_page(browser, site, customer_mail, public_id)
    expert.evaluate("outputs.length = 0")
    join(customer)
    expect(waiting).to_be_hidden()
    assert expert.evaluate("outputs.includes('AudioDestinationNode')"), "nobody was called"
    plays(expert)
    plays(customer)

    # keys
    expert.keyboard.press("m")
    expect(expert.get_by_role("toolbar").get_by_role("button", name="Unmute microphone")).to_be_visible()
    expect(customer.locator("[data-peer-state]")).to_have_text("Jonas Weber is muted.")
    expect(expert.locator("[data-announce]")).to_have_text("Microphone off")
    expert.click('.room-controls [data-control="chat"]')
    expert.locator("#chat-text").press("m")
    expect(expert.locator("#chat-text")).to_have_value("m")
    expert.keyboard.press("Escape")
    expect(expert.locator('.room-controls [data-control="chat"]')).to_be_focused()
    expert.keyboard.press("m")
    expect(customer.locator("[data-peer-state]")).to_be_hidden()

    # devices
    expert.click('.room-controls [data-control="more"]')
    expert.click('.room-more [data-control="devices"]')
    camera = expert.locator("#panel-camera")
    labels = camera.locator("option").all_inner_texts()
    assert len(labels) == 3
    first = expert.evaluate("window.video.label")
    assert first == labels[0]
    camera.select_option(label=labels[2])
    until(expert, lambda: expert.evaluate("window.video.label") != first)
    plays(customer)
    speaker = expert.locator('#room [data-panel-name="devices"] [data-select="speaker"]')
    chosen = speaker.locator("option").last.get_attribute("value")
    speaker.select_option(value=chosen)
    until(expert, lambda: expert.evaluate("document.querySelector('[data-remote]').sinkId") == chosen)
    told = "speakers.map(([id, context]) => [id, context.state])"
    until(expert, lambda: expert.evaluate(told) == [[chosen, "closed"]], 10, "the echo canceller was not told")
    expert.evaluate("window.gone = window.audio; gone.stop(); gone.dispatchEvent(new Event('ended'))")
    expect(expert.locator("[data-status]")).to_contain_text("Your microphone is gone. Now in use:")
    assert expert.evaluate("window.audio !== window.gone && window.audio.readyState === 'live'")

    # screen with sound
    expert.click('.room-controls [data-control="screen"]')
    expect(expert.locator("[data-sharing]")).to_contain_text("sharing your screen")
    expect(customer.locator("[data-peer-state]")).to_have_text("Jonas Weber is sharing the screen.")
    until(customer, lambda: customer.evaluate("document.querySelector('[data-remote-screen]').videoWidth > 0"))
    if expert.evaluate("shared.getAudioTracks().length"):
        expert.evaluate("window.audio.enabled = false")  # what is heard now is the screen
        assert "its sound" in expert.locator("[data-sharing]").inner_text()
    expert.evaluate("shared.getVideoTracks()[0].dispatchEvent(new Event('ended'))")  # from the browser's own bar
    expect(expert.locator("[data-sharing]")).to_be_hidden()
    expect(customer.locator("[data-peer-state]")).to_be_hidden()

    # views, music, sound only
    expert.click('.room-controls [data-control="more"]')
    for _corner in range(2):
        expert.click('.room-more [data-control="corner"]')
    box, stage = expert.locator("video[data-self]").bounding_box(), expert.locator(".room-stage").bounding_box()
    assert box["x"] - stage["x"] < 30 > box["y"] - stage["y"], "the picture is not in the first corner"
    expert.click('.room-more [data-control="self"]')
    expect(expert.locator("video[data-self]")).to_be_hidden()
    expert.click('.room-more [data-control="music"]')
    expect(expert.locator('.room-more [data-control="music"]')).to_have_attribute("aria-pressed", "true")
    until(expert, lambda: expert.evaluate("window.audio.getSettings().echoCancellation") is False)
    expert.click('.room-more [data-control="sound-only"]')
    expect(customer.locator("[data-peer-state]")).to_have_text("Jonas Weber has chosen sound only.")
    for page in (expert, customer):
        until(page, lambda page=page: state(page, "peerCamera") == "false")
    stands = [frames(expert), frames(customer)]
    expert.wait_for_timeout(1500)
    assert [frames(expert), frames(customer)] == [pytest.approx(stand, abs=5) for stand in stands], "pictures are sent"
    expert.click('.room-more [data-control="sound-only"]')
    plays(expert)
    plays(customer)
    expert.click('.room-more [data-control="figures"]')
    expect(expert.locator("[data-figure-receives]")).to_have_text(re.compile(r"[1-9]\d* kb/s"))
    assert [page.script_errors for page in (expert, customer)] == [[], []]
    for page in (expert, customer):
        page.context.close()


def test_where_the_network_is_slow_the_sound_goes_on_and_people_are_told(tmp_path, browser):
    with network() as net:
        site = Site(tmp_path)
        site.url = f"http://{net.address}:{site.port}"
        site.environment |= {"HELPOUTS_HOST": "0.0.0.0", "HELPOUTS_PUBLIC_URL": site.url}
        try:
            site.start()
            public_id, expert_mail, customer_mail = make_call(site)
            trusted = f"--unsafely-treat-insecure-origin-as-secure={site.url}"
            program = net.launcher(str(shutil.which("chromium")))
            far = browser.browser_type.launch(executable_path=program, args=[*FAKES, trusted])
            near = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=[*FAKES, trusted])
            slow, other = (
                check_page(far, site, expert_mail, public_id),
                check_page(near, site, customer_mail, public_id),
            )
            sent: list[dict] = []
            slow.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(json.loads(frame))))
            join(slow, other)
            plays(other)
            net.slow(300)
            expect(slow.locator("[data-slow]")).to_be_visible(timeout=60_000)
            expect(slow.locator("[data-slow-text]")).to_have_text(re.compile("network is slow|connection is poor"))
            assert heard(other, 3000) > 0, "nothing is heard"
            told = [message for message in sent if message.get("type") == "quality"]
            wanted = {"quality", "rttMs", "lossPercent", "sendKbps", "receiveKbps", "fps", "path", "limitation"}
            assert wanted <= told[-1].keys()
            slow.click('[data-slow] [data-control="sound-only"]')
            expect(slow.locator("[data-slow]")).to_be_hidden()
            expect(other.locator("[data-peer-state]")).to_have_text(re.compile("has chosen sound only"))
            assert heard(other, 2000) > 0, "nothing is heard"
            for launched in (far, near):
                launched.close()
        finally:
            site.stop()
