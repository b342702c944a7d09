"""The slot picker in a real browser: by keyboard alone, without JavaScript, and as a form field."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, render_template_string, request
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

import helpouts.web
from helpouts import i18n
from helpouts.accounts.zones import place
from helpouts.scheduling.display import Day, group_by_day
from helpouts.scheduling.engine import free_slots
from helpouts.scheduling.rules import DayOverride, Schedule, SlotPolicy, WeeklyRule
from helpouts.scheduling.zones import to_minute

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    if os.environ.get("REQUIRE_ALL"):
        pytest.fail("Chromium is needed: apt install chromium", pytrace=False)
    pytest.skip("needs Chromium: apt install chromium", allow_module_level=True)

PAGE = """<!doctype html>
<html lang="{{ lang }}"><head><meta charset="utf-8"><title>Slots</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{% for name in ("tokens", "base", "layout", "slots") %}
<link rel="stylesheet" href="/static/css/{{ name }}.css">{% endfor %}
<link rel="icon" href="data:,"></head>
<body><main class="page"><h1>{{ _("Choose a time") }}</h1>
{% from "helpouts/_slots.html" import slot_picker %}
{% set zones, months = zones | default(none), months | default(none) %}
<form action="/sent">{{ slot_picker(days, "start", selected, "Europe/Berlin", zones, months) }}
<p><button>Send</button></p></form></main>
<script type="module" src="/static/js/slot-picker.js"></script></body></html>"""


def minutes(count: int = 24) -> list[int]:
    """Mondays to Fridays 09:00-12:00 for so many days from Tuesday 24 November 2026; Thursday 26 November is off."""
    rules = tuple(WeeklyRule(weekday, 540, 720) for weekday in range(5))
    thanksgiving = datetime(2026, 11, 26, tzinfo=UTC).date()
    schedule = Schedule("Europe/Berlin", rules, (DayOverride(thanksgiving),))
    start = to_minute(datetime(2026, 11, 23, 23, tzinfo=UTC))
    return free_slots(schedule, SlotPolicy(30), [], start, start + count * 1440, start)


def days() -> list[Day]:
    """Those up to mid December, one of them taken."""
    found = minutes()
    return group_by_day(found, "Europe/Berlin", taken={found[1]})


#: What the pages asked the server for.
asked: list[str] = []


def make_app() -> Flask:
    web = Path(helpouts.web.__file__).parent
    app = Flask(__name__, template_folder=str(web / "templates"), static_folder=str(web / "static"))
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(i18n.gettext, i18n.plural, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters["place"] = place

    @app.get("/<lang>")
    def page(lang: str) -> str:
        with i18n.use_locale(lang):
            selected = request.args.get("selected", "")
            return render_template_string(PAGE, days=days(), lang=lang, selected=selected)

    @app.get("/months/<lang>")
    def months(lang: str) -> str:
        """The first three days; the rest comes from the server, until the middle of January."""
        source = {"url": "/slots?length=30", "until": "2027-01-15T12:00:00+00:00"}
        with i18n.use_locale(lang):
            shown = group_by_day(minutes(4), "Europe/Berlin")
            return render_template_string(PAGE, days=shown, lang=lang, selected="", months=source, zones=["Asia/Tokyo"])

    @app.get("/slots")
    def slots() -> dict[str, object]:
        asked.append(request.query_string.decode())
        of_month = [
            {
                "date": day.date.isoformat(),
                "label": day.label,
                "summary": f"{len(day.slots)} free on {day.label}",
                "slots": [{"value": slot.value, "label": slot.label} for slot in day.slots],
            }
            for day in group_by_day(minutes(53), request.args["zone"])
            if day.date.isoformat().startswith(request.args["month"])
        ]
        return {"days": of_month}

    @app.get("/zones", endpoint="web.zones")
    def zones() -> dict[str, object]:
        return {
            "areas": [["America", [["America/New_York", "New York (UTC−5:00)"]]], ["Asia", [["Asia/Tokyo", "Tokyo"]]]]
        }

    @app.get("/sent")
    def sent() -> str:
        return request.args.get("start", "nothing")

    @app.after_request
    def headers(response):  # type: ignore[no-untyped-def]
        response.headers["Content-Security-Policy"] = "default-src 'self'; img-src 'self' data:"
        return response

    return app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on any script error or breach of the content security policy."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, timezone_id="Asia/Tokyo")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert problems == []


def focused(page: Page) -> str:
    """What a screen reader is told of the element in focus."""
    name = page.evaluate(
        "(document.activeElement.ariaLabel ?? document.activeElement.labels?.[0]?.textContent"
        " ?? document.activeElement.textContent).trim()"
    )
    return str(name)


def test_a_time_is_chosen_and_sent_by_keyboard_alone(page: Page, url: str) -> None:
    page.goto(f"{url}/en")
    page.keyboard.press("Tab")
    assert focused(page) == "Previous month"
    page.keyboard.press("Tab")
    assert focused(page) == "Next month"
    page.keyboard.press("Tab")
    assert focused(page) == "10 free times on Tuesday, November 24"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("11 free times on Wednesday, November 25")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Chosen:")).to_have_text("Chosen: Wednesday, November 25, 9:15\u202fAM")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_text("2026-11-25T08:15:00Z")


@pytest.mark.parametrize(
    ("keys", "label"),
    [
        (["ArrowLeft"], "10 free times on Tuesday, November 24"),  # nothing lies before the first day
        (["ArrowRight", "ArrowRight"], "No free times on Thursday, November 26"),
        (["ArrowDown"], "11 free times on Tuesday, December 1"),  # into the next month
        (["ArrowDown", "ArrowUp"], "10 free times on Tuesday, November 24"),
        (["End"], "No free times on Saturday, November 28"),
        (["ArrowDown", "Home"], "No free times on Sunday, November 29"),
        (["PageDown"], "11 free times on Thursday, December 17"),  # nothing lies after the last day
        (["ArrowRight", "PageDown", "PageUp"], "10 free times on Tuesday, November 24"),
    ],
)
def test_keys_move_through_the_days(page: Page, url: str, keys: list[str], label: str) -> None:
    page.goto(f"{url}/en")
    page.locator("[role=gridcell][tabindex='0']").focus()
    for key in keys:
        page.keyboard.press(key)
    assert focused(page) == label
    expect(page.locator("[role=gridcell][tabindex='0']")).to_have_count(1)


def test_a_day_without_times_says_so_and_changes_nothing(page: Page, url: str) -> None:
    page.goto(f"{url}/en")
    page.locator("[data-slots-cell='2026-11-26']").click(force=True)  # the driver would wait for it to be enabled
    expect(page.get_by_role("status")).to_have_text("No free times on Thursday, November 26")
    expect(page.get_by_role("gridcell", selected=True)).to_have_text("24")
    expect(page.get_by_role("radiogroup")).to_have_count(1)


def test_weeks_before_the_first_day_are_left_out(page: Page, url: str) -> None:
    page.goto(f"{url}/en")
    expect(page.get_by_role("gridcell").first).to_have_text("22")


def test_the_next_month_by_mouse(page: Page, url: str) -> None:
    page.goto(f"{url}/en")
    page.get_by_role("button", name="Next month").click()
    expect(page.get_by_text("December 2026")).to_be_visible()
    expect(page.get_by_role("button", name="Next month")).to_have_attribute("aria-disabled", "true")
    page.locator("[data-slots-cell='2026-12-02']").click()
    expect(page.get_by_role("radiogroup", name="Wednesday, December 2")).to_be_visible()


def test_another_day_never_sends_the_time_of_the_day_before(page: Page, url: str) -> None:
    page.goto(f"{url}/en")
    page.get_by_role("radio").first.check()
    page.locator("[data-slots-cell='2026-11-25']").click()
    expect(page.get_by_text("Chosen:")).to_have_count(0)
    assert page.evaluate("new FormData(document.forms[0]).get('start')") is None
    page.locator("[data-slots-cell='2026-11-24']").click()
    expect(page.get_by_text("Chosen:")).to_contain_text("9:00")


def test_a_form_without_a_time_is_not_sent_and_the_focus_goes_to_the_times(page: Page, url: str) -> None:
    page.goto(f"{url}/en")
    page.locator("[data-slots-cell='2026-11-25']").click()
    page.get_by_role("button", name="Send").click()
    assert focused(page) == "9:00\u202fAM"
    assert page.url == f"{url}/en"


def test_the_time_chosen_before_is_in_view(page: Page, url: str) -> None:
    page.goto(f"{url}/en?selected=2026-12-02T08:30:00Z")
    expect(page.get_by_text("Chosen:")).to_have_text("Chosen: Wednesday, December 2, 9:30\u202fAM")
    expect(page.get_by_text("December 2026")).to_be_visible()


def test_taken_times_cannot_be_chosen(page: Page, url: str) -> None:
    page.goto(f"{url}/en")
    expect(page.get_by_role("radio", name="9:15")).to_be_disabled()


def test_german_weeks_begin_on_monday(page: Page, url: str) -> None:
    page.goto(f"{url}/de")
    expect(page.locator(".slots-weekday").first).to_have_text("Mo")
    expect(page.get_by_text("November 2026")).to_be_visible()
    page.locator("[role=gridcell][tabindex='0']").focus()
    page.keyboard.press("Home")
    assert "24. November" in focused(page)


def test_without_javascript_the_radio_buttons_do_it_all(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{url}/en")
    expect(page.get_by_role("grid")).to_have_count(0)
    page.get_by_text("Later days").click()
    page.get_by_role("radiogroup", name="Wednesday, December 2").get_by_role("radio", name="10:00").check()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("body")).to_have_text("2026-12-02T09:00:00Z")
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen_and_every_target_is_large_enough(page: Page, url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{url}/de")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    targets = page.locator("[data-slots-cell], .slots-nav, .slots-time:visible")
    boxes = [box for box in (target.bounding_box() for target in targets.all()) if box]
    assert len(boxes) > 20
    assert all(box["width"] >= 24 and box["height"] >= 40 for box in boxes), "WCAG 2.2, 2.5.8"


@pytest.fixture
def months(page: Page, url: str) -> Page:
    """The page whose months come from the server, on the morning of 24 November."""
    asked.clear()
    page.clock.set_fixed_time("2026-11-24T06:00:00Z")
    page.goto(f"{url}/months/en")
    expect(page.get_by_role("gridcell", name="11 free on Monday, November 30")).to_be_visible()
    return page


def test_a_month_is_fetched_when_it_is_looked_at_and_only_once(months: Page, url: str) -> None:
    assert asked == ["length=30&month=2026-11&zone=Europe%2FBerlin"]
    months.get_by_role("button", name="Next month").click()
    expect(months.get_by_role("gridcell", name="11 free on Friday, December 4")).to_be_visible()
    months.get_by_role("button", name="Previous month").click()
    months.get_by_role("button", name="Next month").click()
    months.get_by_role("button", name="Next month").click()
    expect(months.get_by_role("gridcell", name="11 free on Friday, January 15")).to_be_visible()
    expect(months.get_by_role("button", name="Next month")).to_have_attribute("aria-disabled", "true")
    assert [text.split("&")[1] for text in asked] == ["month=2026-11", "month=2026-12", "month=2027-01"]
    months.locator("[data-slots-cell='2027-01-15']").click()
    months.get_by_role("radio", name="9:15").check()
    months.get_by_role("button", name="Send").click()
    expect(months.locator("body")).to_have_text("2027-01-15T08:15:00Z")


def test_keys_move_on_into_a_month_that_is_still_on_its_way(months: Page) -> None:
    months.locator("[role=gridcell][tabindex='0']").focus()
    months.keyboard.press("PageDown")
    expect(months.get_by_role("gridcell", name="11 free on Thursday, December 24")).to_be_focused()
    expect(months.get_by_role("grid")).to_have_attribute("aria-busy", "false")


def test_on_another_clock_days_and_times_regroup_around_what_is_chosen(months: Page) -> None:
    months.locator("[data-slots-cell='2026-11-30']").click()
    months.get_by_role("radio", name="11:30").check()
    zone = months.get_by_label("Times are shown for")
    zone.focus()
    expect(zone.locator("optgroup[label=Suggested] option")).to_have_text(["Tokyo", "Berlin", "UTC"])
    expect(zone.locator("optgroup[label=America] option")).to_have_count(1)
    zone.select_option("Asia/Tokyo")
    expect(months.get_by_text("Chosen:")).to_have_text("Chosen: Monday, November 30, 7:30\u202fPM")
    assert months.evaluate("new FormData(document.forms[0]).get('start')") == "2026-11-30T10:30:00Z"
    assert ("shown_in", "Asia/Tokyo", -1) in {(c["name"], c["value"], c["expires"]) for c in months.context.cookies()}
    assert asked[-1].endswith("month=2026-11&zone=Asia%2FTokyo")


def test_a_time_that_falls_into_another_month_on_the_new_clock_is_still_in_view(months: Page) -> None:
    months.locator("[data-slots-cell='2026-11-30']").click()
    months.get_by_role("radio", name="11:30").check()
    months.evaluate("document.querySelector('.slots-zone select').append(new Option('Line', 'Pacific/Kiritimati'))")
    months.get_by_label("Times are shown for").select_option("Pacific/Kiritimati")
    expect(months.get_by_text("Chosen:")).to_have_text("Chosen: Tuesday, December 1, 12:30\u202fAM")
    expect(months.get_by_text("December 2026")).to_be_visible()


def test_a_month_that_cannot_be_had_says_so_and_can_be_tried_again(browser: Browser, url: str) -> None:
    context = browser.new_context(timezone_id="Europe/Berlin")
    page = context.new_page()
    page.clock.set_fixed_time("2026-11-24T06:00:00Z")
    page.route("**/slots?*month=2026-12*", lambda route: route.abort())
    page.goto(f"{url}/months/en")
    page.get_by_role("button", name="Next month").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    page.unroute("**/slots?*month=2026-12*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("gridcell", name="11 free on Friday, December 4")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()
    context.close()
