"""The expert's week in Chromium: by mouse, by keys alone, by finger, in two windows, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from helpouts.accounts.models import User
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import save_schedule, schedule_of, to_schedule
from helpouts.testing.site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

ZONE = "Europe/Berlin"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("week"), "--demo") as made:
        yield made


@pytest.fixture
def hours(site: Site) -> int:
    """The expert of the demo works 09:00 to 12:00 every day; their id."""
    with site.runtime().database.write() as db:
        user_id = db.scalars(select(User.id).where(User.email == "expert@demo.example")).one()
        save_schedule(db, user_id, ZONE, [WeeklyRule(day, 540, 720) for day in range(7)])
    return user_id


def monday() -> date:
    """The Monday of the week after next, so that nothing is in the past."""
    today = datetime.now(ZoneInfo(ZONE)).date()
    return today + timedelta(days=14 - today.weekday())


def windows(site: Site, user_id: int, day: date) -> list[tuple[int, int]]:
    with site.runtime().database.read() as db:
        return list(to_schedule(schedule_of(db, user_id)).windows_on(day.toordinal()))


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """What the pages complain about; a conflict is answered with 409 on purpose."""
    found: list[str] = []
    yield found
    assert [text for text in found if "409" not in text] == []


def week(chromium: Browser, site: Site, problems: list[str], size: dict[str, int] = DESK, **options: object) -> Page:
    context = chromium.new_context(viewport=size, locale="de-DE", timezone_id=ZONE, **options)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    printed = re.search(r"expert@demo\.example\s+(\S+)", site.log_text())
    assert printed is not None
    page.goto(f"{site.url}/login")
    page.fill("[name=email]", "expert@demo.example")
    page.fill("[name=password]", printed[1])
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator("[action$='/logout']")).to_be_attached()
    page.locator(".site-footer .switch__button[lang=de]").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto(f"{site.url}/expert/week?from={monday()}")
    return page


def at(page: Page, day: int, hour: float) -> tuple[float, float]:
    """Where a time of a day is on the screen, after scrolling there."""
    column = page.locator(f".week__layer [data-day='{day}']")
    page.evaluate("hour => { document.querySelector('.week__scroll').scrollTop = hour > 13 ? 532 : 300; }", hour)
    box = column.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] * hour / 24


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def sheet(page: Page) -> Locator:
    return page.locator("#week-sheet")


def save(page: Page, scope: str) -> None:
    sheet(page).locator(f"input[name=scope][value={scope}]").check()
    sheet(page).locator("button[type=submit]").click()
    expect(sheet(page)).not_to_be_visible()
    expect(page.locator("[data-week-message]")).to_be_visible()


def test_hours_are_dragged_with_the_mouse(chromium: Browser, site: Site, hours: int, problems: list[str]) -> None:
    page = week(chromium, site, problems)
    drag(page, at(page, 1, 14.02), at(page, 1, 15.48))
    expect(sheet(page)).to_be_visible()
    expect(page.locator("#week-from")).to_have_value("14:00")
    expect(page.locator("#week-to")).to_have_value("15:30")
    save(page, "once")
    tuesday = monday() + timedelta(days=1)
    assert windows(site, hours, tuesday) == [(540, 720), (840, 930)]
    assert windows(site, hours, tuesday + timedelta(days=7)) == [(540, 720)]
    # hours of one date are saved as soon as they are dropped: the lower edge, then the whole, to an hour earlier
    drag(page, at(page, 1, 15.45), at(page, 1, 16.5))
    expect(page.locator(".week__block--date").last).to_contain_text("16:30")
    assert windows(site, hours, tuesday) == [(540, 720), (840, 990)]
    drag(page, at(page, 1, 15), at(page, 1, 14))
    expect(page.locator(".week__block--date").last).to_contain_text("13:00")
    assert windows(site, hours, tuesday) == [(540, 720), (780, 930)]
    page.locator("[data-week-message] button").click()
    expect(page.locator(".week__block--date").last).to_contain_text("14:00")
    assert windows(site, hours, tuesday) == [(540, 720), (840, 990)]
    # hours of every week ask what is meant
    drag(page, at(page, 3, 11.97), at(page, 3, 13))
    save(page, "every")
    expect(page.locator("[data-day='3'] .week__block")).to_contain_text("13:00")
    thursday = monday() + timedelta(days=3)
    assert windows(site, hours, thursday) == windows(site, hours, thursday + timedelta(days=7)) == [(540, 780)]
    page.context.close()


def test_hours_are_changed_by_keys_alone(chromium: Browser, site: Site, hours: int, problems: list[str]) -> None:
    page = week(chromium, site, problems)
    live = page.locator("[data-week-live]")
    page.locator("[role=gridcell][tabindex='0']").focus()
    expect(page.locator("[role=gridcell][tabindex='0']")).to_have_count(1)
    for key in ["Home", *["ArrowDown"] * 10]:  # from 9:00 to 14:00 on Monday
        page.keyboard.press(key)
    assert "14:00" in str(page.evaluate("document.activeElement.ariaLabel"))
    page.keyboard.press("Enter")
    expect(live).to_contain_text("14:00")
    page.keyboard.press("ArrowDown")
    expect(live).to_contain_text("15:00")
    page.keyboard.press("Enter")
    expect(page.locator("#week-to")).to_have_value("15:00")
    page.keyboard.press("Enter")
    expect(page.locator(".week__block", has_text="14:00")).to_have_count(1)
    assert windows(site, hours, monday()) == [(540, 720), (840, 900)]
    expect(page.locator("[role=gridcell]:focus")).to_have_count(1)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    expect(live).to_contain_text("15:15")
    page.keyboard.press("Shift+ArrowDown")
    expect(live).to_contain_text("15:30")
    page.keyboard.press("Enter")
    expect(page.locator("#week-to")).to_have_value("15:30")
    page.keyboard.press("Enter")
    expect(page.locator(".week__block", has_text="15:30")).to_have_count(1)
    assert windows(site, hours, monday()) == [(540, 720), (840, 930)]
    page.keyboard.press("Delete")
    expect(sheet(page).locator("[data-sheet-remove]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".week__block", has_text="15:30")).to_have_count(0)
    assert windows(site, hours, monday()) == [(540, 720)]
    page.keyboard.press("PageDown")
    expect(page.locator("[data-week]")).to_have_attribute("data-first", str(monday() + timedelta(days=7)))
    page.context.close()


def test_a_finger_taps_holds_and_scrolls(chromium: Browser, site: Site, hours: int, problems: list[str]) -> None:
    page = week(chromium, site, problems, PHONE, has_touch=True, is_mobile=True)
    expect(page.locator(".week__day")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.evaluate("document.querySelector('.week__scroll').scrollIntoView()")
    x, y = at(page, 1, 14.1)
    page.touchscreen.tap(x, y)
    expect(page.locator("#week-from")).to_have_value("14:00")
    save(page, "once")
    tuesday = monday() + timedelta(days=1)
    assert windows(site, hours, tuesday) == [(540, 720), (840, 900)]
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": px, "y": py} for px, py in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    page.evaluate("document.querySelector('.week__scroll').scrollIntoView()")
    start, end = at(page, 2, 16.05), at(page, 2, 17.4)
    touch("touchStart", start)
    expect(page.locator(".week__draft")).to_be_visible()  # held long enough
    touch("touchMove", (end[0], (start[1] + end[1]) / 2))
    touch("touchMove", end)
    touch("touchEnd")
    expect(page.locator("#week-from")).to_have_value("16:00")
    expect(page.locator("#week-to")).to_have_value("17:30")
    sheet(page).locator("[data-sheet-cancel]").click()
    page.locator("[data-week-go=next]").click()
    expect(page.locator(".week__number").first).to_have_text(str((monday() + timedelta(days=3)).day))
    page.context.close()


def test_two_windows_do_not_overwrite_each_other(
    chromium: Browser, site: Site, hours: int, problems: list[str]
) -> None:
    page = week(chromium, site, problems)
    with site.runtime().database.write() as db:
        save_schedule(db, hours, ZONE, [WeeklyRule(0, 600, 660)])
    drag(page, at(page, 2, 14.02), at(page, 2, 15))
    sheet(page).locator("button[type=submit]").click()
    expect(page.locator(".week__message--danger")).to_be_visible()
    expect(page.locator(".week__block")).to_have_count(1)  # as they are now
    assert windows(site, hours, monday() + timedelta(days=2)) == []
    page.context.close()


def test_days_on_which_the_clocks_change_have_their_own_hours(
    chromium: Browser, site: Site, hours: int, problems: list[str]
) -> None:
    page = week(chromium, site, problems)
    year = monday().year + 1
    last_sunday = max(date(year, 10, day) for day in range(25, 32) if date(year, 10, day).weekday() == 6)
    page.goto(f"{site.url}/expert/week?from={last_sunday}")
    expect(page.locator(".week__hour small")).to_have_text(["CEST", "CET"])
    expect(page.locator(".week__nothing")).to_have_count(6)
    expect(page.get_by_role("gridcell", name=re.compile("02:30 CEST"))).to_have_count(7)
    expect(page.get_by_role("gridcell", name=re.compile("02:30 CET"))).to_have_count(7)
    page.context.close()


def test_the_past_cannot_be_changed_and_without_scripts_there_is_a_list(
    chromium: Browser, site: Site, hours: int, problems: list[str]
) -> None:
    page = week(chromium, site, problems)
    page.goto(f"{site.url}/expert/week?from={monday() - timedelta(days=28)}")
    page.mouse.click(*at(page, 2, 15))
    expect(sheet(page)).not_to_be_visible()
    state = page.context.storage_state()
    page.context.close()
    plain = chromium.new_context(java_script_enabled=False, storage_state=state, viewport=PHONE)
    page = plain.new_page()
    page.goto(f"{site.url}/expert/week?from={monday()}")
    expect(page.locator(".week-list__day")).to_have_count(7)
    expect(page.locator("#week-sheet")).not_to_be_visible()
    plain.close()
