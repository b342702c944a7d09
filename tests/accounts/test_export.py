"""Nothing that is kept about a person is missing from their export, unless there is a reason."""

from __future__ import annotations

from sqlalchemy.orm import Session

from helpouts.accounts.export import SECTIONS, export_data
from helpouts.bookings.models import BookingMove
from helpouts.clock import clock
from helpouts.db.metadata import metadata
from helpouts.notices.models import NoticeChoice
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

#: Exported by functions of their own.
ELSEWHERE = {
    "application_message", "booking", "calendar_feed", "calendar_source", "help_request", "presence",
    "recording_access", "recording_consent", "request_answer", "room_file", "room_message",
    "room_note_change", "saved_search",
    "session_report", "support_request", "user_role",
}  # fmt: skip
#: Not the person's: what operators and machines keep to do their work, or what lives for minutes.
REASONS = {
    "api_answer": "copies of answers, kept for a day",
    "audit_entry": "the site's record of what operators do",
    "desk_ticket": "single-use tickets, kept for a minute",
    "device_presence": "which devices are connected at this moment",
    "invitation": "codes that operators make; the membership is exported",
    "join_ticket": "single-use tickets, kept for a minute",
    "listing_member": "who serves a listing is the company's choice",
    "member_invitation": "the company's; the membership is exported",
    "plugin_flag": "what operators have switched",
    "touched_time": "a note for the index of free time",
    "transition": "the record of states, part of the site's books",
}


def test_every_table_that_names_a_person_is_exported_or_says_why_not() -> None:
    naming = {
        table.name
        for table in metadata.sorted_tables
        if any(key.target_fullname == "user.id" for key in table.foreign_keys)
    }
    exported = {section.table.__tablename__ for section in SECTIONS}
    assert naming - exported - ELSEWHERE - set(REASONS) == set()


def test_people_get_their_payments_moves_and_choices_and_nobody_elses(db: Session) -> None:
    clara, other = make_customer(db), make_customer(db, "Otto Her")
    booking = make_booking(db, make_listing(db, make_expert(db)), clara)
    db.add(NoticeChoice(user_id=clara.id, kind="reminder", channel="mail", wanted=False))
    db.add(
        BookingMove(
            booking_id=booking.id, side="customer", asked_by=clara.id, old_starts_at=booking.starts_at,
            starts_at=booking.ends_at, reason="the plumber comes", created_at=clock.now(),
        )
    )  # fmt: skip
    db.flush()
    found = export_data(db, clara)
    assert [(row["amount_minor"], row["currency"]) for row in found["payments"]] == [(2500, "EUR")]
    assert found["moves_asked_for"][0]["reason"] == "the plumber comes"
    assert found["notices"] == [{"kind": "reminder", "channel": "mail", "wanted": False}]
    theirs = export_data(db, other)
    assert theirs["payments"] == theirs["moves_asked_for"] == theirs["notices"] == []
