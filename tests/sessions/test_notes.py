"""The shared notes: concurrent changes make one text, and nothing that was accepted is lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpouts.errors import Conflict, HelpoutsError
from helpouts.sessions import notes
from helpouts.sessions.text_changes import NotAChange, apply, before, parse, transform
from helpouts.sessions.tool_models import RoomNoteChange
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing

LETTERS = st.text(st.sampled_from("abä€𝄞\n"), max_size=12)


@st.composite
def changes_of(draw, text, marks):
    """A change of that text; what it puts in is made of ``marks``."""
    parts, left = [], len(text)
    while left:
        length = draw(st.integers(1, left))
        kind = draw(st.sampled_from(["keep", "delete", "insert"]))
        if kind == "insert":
            parts.append(draw(st.text(st.sampled_from(marks), min_size=1, max_size=3)))
            continue
        parts.append(length if kind == "keep" else -length)
        left -= length
    if draw(st.booleans()):
        parts.append(draw(st.text(st.sampled_from(marks), min_size=1, max_size=3)))
    return parts


@given(st.data(), LETTERS)
def test_both_orders_make_one_text_and_all_that_was_put_in_is_in_it(data, text):
    one, two = data.draw(changes_of(text, "XY")), data.draw(changes_of(text, "12"))
    one_after, two_after = transform(one, two)
    result = apply(apply(text, one), two_after)
    assert result == apply(apply(text, two), one_after)
    for change in (one, two):
        put_in = "".join(part for part in change if isinstance(part, str))
        assert [letter for letter in result if letter in put_in] == list(put_in)


@given(st.data(), LETTERS)
def test_what_both_delete_is_deleted_once(data, text):
    one, two = data.draw(changes_of(text, "X")), data.draw(changes_of(text, "Y"))

    def kept(change):
        at, out = 0, set()
        for part in change:
            if isinstance(part, int):
                out |= set(range(at, at + part)) if part > 0 else set()
                at += abs(part)
        return out

    result = apply(apply(text, one), transform(one, two)[1])
    assert sum(letter not in "XY" for letter in result) == len(kept(one) & kept(two))


@pytest.mark.parametrize(
    "value", [None, "abc", [True], [0], [""], [1.5], [["a"]], ["\0"], ["\ud800"], [1] * 1001, {"a": 1}]
)
def test_what_is_no_change_is_refused(value):
    with pytest.raises(NotAChange):
        parse(value)


def test_a_change_of_another_text_is_refused():
    with pytest.raises(NotAChange):
        apply("abc", [2, "x"])


@pytest.fixture
def session(db):
    from helpouts.sessions.service import session_of

    booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
    return session_of(db, booking)


def people(session):
    return session.booking.host_id, session.booking.customer_id


def test_two_random_editors_converge_through_the_service(db, session):
    """Each is behind by a random number of changes when it writes; each word that was accepted stands in the end."""
    seeded = random.Random(7)
    seen = dict.fromkeys(people(session), (0, ""))
    words = []
    for turn in range(120):
        user = seeded.choice(people(session))
        if seeded.random() < 0.5:
            seen[user] = notes.current(db, session.id)
        base, text = seen[user]
        at, word = seeded.randint(0, len(text)), chr(0x4E00 + turn)
        words.append(word)
        change = parse([*([at] if at else []), word, *([len(text) - at] if len(text) > at else [])])
        done, fresh = notes.change(db, session, user, f"id-{turn}", base, change)
        assert (fresh, done.revision) == (True, turn + 1)
    revision, text = notes.current(db, session.id)
    assert revision == 120
    assert sorted(text) == words
    replayed = ""
    for first in (0, 60):
        for row in notes.since(db, session.id, first)[: 60 if first == 0 else None]:
            replayed = apply(replayed, row["change"])
    assert replayed == text


def test_the_same_change_sent_again_changes_nothing(db, session):
    host, customer = people(session)
    notes.change(db, session, host, "a", 0, ["one"])
    notes.change(db, session, customer, "a", 1, [3, " two"])
    done, fresh = notes.change(db, session, host, "a", 0, ["one"])
    assert (done.revision, fresh) == (1, False)
    assert notes.current(db, session.id) == (2, "one two")


def test_a_full_text_is_refused_and_stays_as_it_is(db, session):
    host, _ = people(session)
    notes.change(db, session, host, "a", 0, ["x" * notes.LONGEST])
    with pytest.raises(HelpoutsError, match="full"):
        notes.change(db, session, host, "b", 1, [notes.LONGEST, "y"])
    assert notes.current(db, session.id) == (1, "x" * notes.LONGEST)


@pytest.mark.parametrize(("base", "change"), [(-1, ["x"]), (2, ["x"]), (1, ["x"]), (0, [1, "x"])])
def test_a_change_that_does_not_fit_is_refused(db, session, base, change):
    host, _ = people(session)
    notes.change(db, session, host, "a", 0, ["one"])
    with pytest.raises(NotAChange):
        notes.change(db, session, host, "b", base, change)


def test_when_the_session_is_over_the_text_stays_and_its_steps_go(db, session):
    from helpouts.audit.actor import SYSTEM
    from helpouts.sessions.service import end

    host, _ = people(session)
    notes.change(db, session, host, "a", 0, ["one"])
    end(db, session, "time", SYSTEM)
    assert db.query(RoomNoteChange).count() == 0
    assert notes.current(db, session.id) == (1, "one")
    with pytest.raises(Conflict):
        notes.change(db, session, host, "b", 1, [3, "x"])
    assert before([3, "x", -2]) == 5
