"""The tools of the room as two people use them: notes, a file, a snapshot that both draw on, more minutes, a report."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from helpouts.accounts.passwords import hash_password
from helpouts.clock import clock
from helpouts.payments.verify import violations
from helpouts.sessions.models import Session
from helpouts.sessions.tool_models import SessionReport
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PASSWORD = "four words make sense 42"
#: Random editors against a server that gives the order, all of them in this page, with the modules of the room.
EDITORS = """async (modules) => {
  const {Notes} = await import(modules[0]);
  const {apply, transform} = await import(modules[1]);
  let seed = 42;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  for (let round = 0; round < 60; round++) {
    let text = "", log = [], ids = 0;
    const queues = [[], []];
    const editors = [0, 1].map((me) => new Notes({
      me, show: () => {}, newId: () => `${me}-${ids++}`, send: (message) => queues[me].push(structuredClone(message)),
    }));
    const inbox = [[], []];
    const serve = (me, message) => {
      if (message.type === "notes_since") {
        return inbox[me].push({type: "notes_since", changes: log.slice(message.revision), more: false});
      }
      const known = log.find((row) => row.user === me && row.client_id === message.client_id);
      if (known) return inbox[me].push(known);
      let {change} = message;
      for (const row of log.slice(message.base)) change = transform(row.change, change)[1];
      text = apply(text, change)[0];
      const row = {type: "notes", revision: log.length + 1, user: me, client_id: message.client_id, change};
      log.push(row);
      for (const box of inbox) box.push(row);
    };
    const hear = (me) => {
      const message = structuredClone(inbox[me].shift());
      if (message.type === "notes") editors[me].receive(message); else editors[me].missed(message);
    };
    for (const editor of editors) editor.welcome({revision: 0, text: ""});
    for (let step = 0; step < 200; step++) {
      const me = random(2), editor = editors[me], kind = random(6);
      if (kind < 3) {
        const letters = [...editor.text], at = random(letters.length + 1);
        if (kind === 2) letters.splice(at, random(3));
        else letters.splice(at, 0, String.fromCodePoint(0x1F300 + step));
        editor.write(letters.join(""));
      } else if (kind === 3 && queues[me].length) serve(me, queues[me].shift());
      else if (kind === 4 && inbox[me].length) hear(me);
      else if (kind === 5 && random(8) === 0) { // the connection drops: what was on its way is lost
        queues[me].length = inbox[me].length = 0;
        editor.pause();
        editor.welcome({revision: log.length, text});
      }
    }
    while (queues.flat().length || inbox.flat().length || !editors.every((editor) => editor.saved)) {
      for (const me of [0, 1]) {
        if (queues[me].length) serve(me, queues[me].shift());
        if (inbox[me].length) hear(me);
      }
    }
    if (editors.some((editor) => editor.text !== text)) return {round, text, editors: editors.map((e) => e.text)};
  }
  return "one text";
}"""


@pytest.fixture(scope="module")
def booking(site):
    """A session that has begun, four and a half minutes before its end."""
    with site.runtime().database.write() as db:
        made = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
        now = clock.now()
        made.ends_at = now + timedelta(minutes=4, seconds=50)
        made.starts_at = made.ends_at - timedelta(minutes=30)
        made.host.password = made.customer.password = hash_password(PASSWORD)
        db.flush()
        db.refresh(made)
        db.expunge_all()
        return made


def enter(chromium, site, booking, user, **options) -> Page:
    context = chromium.new_context(permissions=["camera", "microphone"], locale="en-GB", **options)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.script_errors = []
    page.on("pageerror", lambda error: page.script_errors.append(str(error)))
    page.on("console", lambda line: "Security Policy" in line.text and page.script_errors.append(line.text))
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", user.email)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").last.click()
    page.goto(f"{site.url}/bookings/{booking.public_id}")
    page.get_by_role("link", name="Enter the room").click()
    expect(page.locator("[data-join]")).to_be_enabled()
    page.click("[data-join]")
    expect(page.locator("#room")).to_have_attribute("data-stage", "call")
    return page


def more(page: Page, name: str) -> None:
    if page.locator("#room").get_attribute("data-panel") != "more":
        page.click('.room-controls [data-control="more"]')
    page.click(f'#room-more [data-control="{name}"]')


def accessible(page: Page) -> None:
    page.evaluate(AXE)
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def seen(page: Page, name: str, folder: Path) -> None:
    page.screenshot(path=folder / f"{name}.png")


def test_two_people_use_the_tools_of_the_room(site, booking, chromium, tmp_path):
    expert = enter(chromium, site, booking, booking.host)
    customer = enter(chromium, site, booking, booking.customer, viewport={"width": 390, "height": 844})
    expect(expert.locator("#room")).to_have_attribute("data-peer", "true")
    assert expert.evaluate(EDITORS, modules(expert)) == "one text"

    notes(expert, customer)
    accessible(customer)
    seen(customer, "notes-phone", tmp_path)
    a_file(expert, customer, tmp_path)
    seen(customer, "chat-phone", tmp_path)
    a_snapshot(expert, customer, tmp_path)
    more_minutes(expert, customer, tmp_path)
    with site.runtime().database.read() as db:
        assert violations(db) == ()

    more(customer, "report")
    expect(customer).to_have_url(re.compile("/report"))
    expect(customer.locator("main")).to_contain_text("You have left the room")
    expect(expert.locator("#room")).to_have_attribute("data-peer", "false")
    accessible(customer)
    seen(customer, "report-phone", tmp_path)
    customer.get_by_label("Something else").check()
    customer.get_by_label("What has happened?").fill("They were rude.")
    customer.get_by_role("button", name="Send the report").click()
    expect(customer.locator(".flashes")).to_contain_text("We have your report")
    with site.runtime().database.read() as db:
        assert db.scalars(select(SessionReport.text)).all() == ["They were rude."]

    expert.once("dialog", lambda dialog: dialog.accept())
    expert.click('[data-control="end"]')
    expect(expert).to_have_url(re.compile("/bookings/"))
    for text in ("1. unplug it", "Shared notes", "plan.txt", "Snapshots", "In the room"):
        expect(expert.locator("main")).to_contain_text(text)
    expect(expert.locator(".kept-pictures img")).to_have_js_property("complete", True)
    accessible(expert)
    expert.screenshot(path=tmp_path / "history.png", full_page=True)
    with site.runtime().database.read() as db:
        assert violations(db) == ()
        assert db.scalars(select(Session.state)).all() == ["ended"]
    assert expert.script_errors == customer.script_errors == []
    for page in (expert, customer):
        page.context.close()


def modules(page: Page) -> list[str]:
    base = page.locator("script[src*='room/main.js']").get_attribute("src").split("?")[0].rsplit("/", 1)[0]
    return [f"{base}/notes.js", f"{base}/text-changes.js"]


def notes(expert: Page, customer: Page) -> None:
    """Both write at once; a reload loses nothing."""
    for page in (expert, customer):
        more(page, "notes")
        expect(page.locator("[data-notes-text]")).to_be_focused()
    expert.keyboard.type("1. unplug it\n")
    expect(customer.locator("[data-notes-text]")).to_have_value("1. unplug it\n")
    customer.keyboard.press("Control+Home")
    expert.keyboard.press("Control+End")
    for letter, other in zip("2. wait", "Router ", strict=True):
        expert.keyboard.type(letter)
        customer.keyboard.type(other)
    for page in (expert, customer):
        expect(page.locator("[data-notes-text]")).to_have_value("Router 1. unplug it\n2. wait")
        expect(page.locator("[data-notes-state]")).to_have_text("Everything is kept.")
    expert.reload()
    expect(expert.locator("[data-join]")).to_be_enabled()
    expert.click("[data-join]")
    expect(expert.locator("[data-notes-text]")).to_have_value("Router 1. unplug it\n2. wait")
    expect(expert.locator("#room")).to_have_attribute("data-peer", "true")


def a_file(expert: Page, customer: Page, folder: Path) -> None:
    """Sent with progress, seen by the other, downloaded; one that is refused says why."""
    customer.click('[data-control="chat"]')
    for name, content in (("plan.txt", "turn it off and on"), ("virus.exe", "MZ")):
        (folder / name).write_text(content)
    customer.set_input_files("[data-file-input]", folder / "plan.txt")
    expert.click('[data-control="chat"]')
    link = expert.locator(".chat__file", has_text="plan.txt")
    expect(link).to_contain_text("18 B")
    expect(customer.locator(".chat__line--waiting")).to_have_count(0)
    with expert.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_text() == "turn it off and on"
    customer.set_input_files("[data-file-input]", folder / "virus.exe")
    expect(customer.locator("[data-file-state]")).to_contain_text("Programs cannot be sent here.")
    expect(customer.locator(".chat__line")).to_have_count(1)


def a_snapshot(expert: Page, customer: Page, folder: Path) -> None:
    """Taken by the expert, told to the customer, drawn on by both at once, by mouse and by keys, kept."""
    for _ in range(150):
        if expert.evaluate("document.querySelector('[data-remote]').videoWidth"):
            break
        expert.wait_for_timeout(200)
    more(expert, "snapshot")
    for page in (expert, customer):
        expect(page.locator("[data-board]")).to_be_visible()
    expect(customer.locator("[data-status]")).to_contain_text("has taken a picture of your video")
    before = customer.evaluate(PIXELS)
    box = expert.locator("[data-board-canvas]").bounding_box()
    expert.click('[data-tool="arrow"]')
    expert.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    expert.mouse.down()
    expert.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6, steps=8)
    expert.mouse.up()
    customer.click('[data-tool="rectangle"]')
    customer.click('[data-color="#ffd60a"]')
    customer.focus("[data-board-canvas]")
    for key in ("Shift+ArrowLeft", "Space", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "Space"):
        customer.keyboard.press(key)
    drawn = customer.evaluate(PIXELS)
    assert drawn != before
    accessible(expert)
    accessible(customer)
    seen(expert, "board", folder)
    seen(customer, "board-phone", folder)
    expert.click('[data-tool="text"]')
    expert.fill("[data-board-text]", "here")
    expert.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expert.click("[data-board-undo]")
    expert.click("[data-board-save]")
    for page in (expert, customer):
        expect(page.locator("[data-board-state]")).to_have_text("The picture is kept with the session.")
        page.click("[data-board-close]")
        expect(page.locator("[data-board]")).to_be_hidden()


PIXELS = """() => {
  const canvas = document.querySelector('[data-board-canvas]');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 97) sum = (sum * 31 + data[i]) % 1000000007;
  return sum;
}"""


def more_minutes(expert: Page, customer: Page, folder: Path) -> None:
    """Warned of the end, the customer asks, the expert agrees, the money so far shows it."""
    expect(expert.locator("[data-offer]")).to_contain_text("The session ends in")
    customer.locator("[data-offer]").get_by_role("button", name="Extend the session").click()
    seen(customer, "extend-phone", folder)
    customer.locator("[data-extend-choices] button", has_text="15 minutes").click()
    expect(expert.locator("[data-offer]")).to_contain_text("asks for 15 more minutes for €12.50")
    expect(customer.locator("[data-offer]")).to_contain_text("is asked")
    accessible(expert)
    seen(expert, "offer", folder)
    seen(customer, "offer-phone", folder)
    expert.get_by_role("button", name="Agree", exact=True).click()
    for page in (expert, customer):
        expect(page.locator("[data-status]")).to_contain_text("15 minutes longer")
        expect(page.locator("[data-offer]")).to_be_hidden()
        expect(page.locator("[data-meter-money]")).to_have_text("€37.50")
