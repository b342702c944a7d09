"""The rule keeps the contract, and finds what it says it finds."""

from __future__ import annotations

from datetime import date
from typing import Any

import helpouts_vetting_profile
import pytest
from helpouts_vetting_profile.rule import judge
from helpouts_vetting_profile.text import mailbox, similarity
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM
from helpouts.plugins.service import write_settings
from helpouts.testing.vetting import TEXT, VettingRuleContract, make_application, make_expert, make_listing

OTHER_TEXT = (
    "Bring the error message and share the screen. We read it word by word, look at the line it names and change one "
    "thing at a time until the program runs. I ask questions until you see the mistake yourself."
)


class TestRule(VettingRuleContract):
    plugin = helpouts_vetting_profile
    name = "vetting_profile"

    def good(self, db: Session, subject_type: str) -> Any:
        return make_application(db, category="good") if subject_type == "application" else make_listing(db)

    def bad(self, db: Session, subject_type: str) -> Any:
        if subject_type == "application":
            return make_application(db, category="bad", is_adult=False, experience="a lot", name="X")
        return make_listing(db, make_expert(db, bio="", headline=""), title="Help", description="Call me", languages=[])


def spoken(db: Session, kind: Any, subject: Any) -> tuple[str, str]:
    finding = judge(db, kind, subject)
    return finding.outcome, " ".join(map(str, finding.reasons))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_adult": False}, "18 years"),
        ({"name": "  "}, "full name"),
        ({"name": "!?"}, "full name"),
        ({"experience": ""}, "experience"),
        ({"experience": " " * 60}, "experience"),
    ],
)
def test_an_incomplete_application_fails_with_the_reason(db: Session, changes: dict[str, Any], words: str) -> None:
    outcome, reasons = spoken(db, "application", make_application(db, **changes))
    assert outcome == "fail"
    assert words in reasons


@pytest.mark.parametrize("email", ["jonas@example.org", "JONAS@Example.org", "jonas+it@example.org"])
def test_a_second_application_of_the_same_mailbox_fails_while_the_first_is_open(db: Session, email: str) -> None:
    make_application(db)
    outcome, reasons = spoken(db, "application", make_application(db, email=email, name="Somebody Else"))
    assert outcome == "fail"
    assert "applied in this field before" in reasons


def test_after_a_declined_application_a_person_looks(db: Session) -> None:
    first = make_application(db, state="declined")
    finding = judge(db, "application", make_application(db))
    assert finding.outcome == "person"
    assert finding.evidence["same_mail"] == [first.id]


def test_the_same_name_needs_a_person(db: Session) -> None:
    first = make_application(db)
    finding = judge(db, "application", make_application(db, email="other@example.net", name="JONAS WEBER"))
    assert finding.outcome == "person"
    assert first.id in finding.evidence["same_name"]


def test_another_category_is_no_duplicate(db: Session) -> None:
    make_application(db)
    assert judge(db, "application", make_application(db, category="fashion")).outcome == "pass"


def test_a_percent_sign_in_an_address_matches_nobody_else(db: Session) -> None:
    make_application(db, name="Anna Berg")
    assert judge(db, "application", make_application(db, email="%@example.org", name="Carl Dorn")).outcome == "pass"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": "Help"}, "two words"),
        ({"description": "Short."}, "at least 100 characters"),
        ({"languages": []}, "language"),
    ],
)
def test_an_incomplete_listing_fails_with_the_reason(db: Session, changes: dict[str, Any], words: str) -> None:
    outcome, reasons = spoken(db, "listing", make_listing(db, **changes))
    assert outcome == "fail"
    assert words in reasons


def test_the_edit_that_waits_is_judged_not_what_is_live(db: Session) -> None:
    listing = make_listing(db, state="live", pending={"description": "Short."})
    assert judge(db, "listing", listing).outcome == "fail"


def test_an_expert_known_to_be_a_minor_fails(db: Session) -> None:
    expert = make_expert(db)
    expert.owner.birth_date = date(2015, 1, 1)
    outcome, reasons = spoken(db, "listing", make_listing(db, expert))
    assert outcome == "fail"
    assert "18 years" in reasons


def test_ones_own_copy_fails_and_names_the_first(db: Session) -> None:
    expert = make_expert(db)
    make_listing(db, expert, state="live", title="First router")
    outcome, reasons = spoken(db, "listing", make_listing(db, expert, title="Second router"))
    assert outcome == "fail"
    assert "First router" in reasons


def test_a_copy_of_another_experts_text_needs_a_person(db: Session) -> None:
    live = make_listing(db, state="live")
    finding = judge(db, "listing", make_listing(db, description=TEXT.replace("eleven", "twelve")))
    assert finding.outcome == "person"
    assert finding.evidence["foreign_copies"][0]["listing"] == live.id


def test_two_experts_may_offer_the_same_in_their_own_words(db: Session) -> None:
    make_listing(db, state="live")
    assert judge(db, "listing", make_listing(db, description=OTHER_TEXT)).outcome == "pass"


def test_only_live_listings_count_as_the_original(db: Session) -> None:
    expert = make_expert(db)
    make_listing(db, expert, state="declined")
    assert judge(db, "listing", make_listing(db, expert)).outcome == "pass"


def test_the_settings_are_obeyed(db: Session) -> None:
    application = make_application(db, experience="Eleven years of routers.")
    assert judge(db, "application", application).outcome == "fail"
    write_settings(db, "vetting_profile", {"experience_length": 10}, SYSTEM)
    assert judge(db, "application", application).outcome == "pass"


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        (TEXT, TEXT, 100, 100),
        (TEXT, TEXT.upper() + "!", 100, 100),
        (TEXT, OTHER_TEXT, 0, 10),
        ("", "", 0, 0),
        ("Hello", "Hello", 100, 100),
    ],
)
def test_similarity(one: str, other: str, least: int, most: int) -> None:
    assert least <= similarity(one, other) <= most


def test_mailbox_drops_case_and_tag() -> None:
    assert mailbox(" Jonas+Site@Example.ORG ") == ("jonas", "example.org")
