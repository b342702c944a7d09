"""State machines: every table is well-formed, and nothing else in the product assigns a state."""

from __future__ import annotations

import ast
import importlib
import itertools
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import helpouts
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor, Kind
from helpouts.audit.models import Transition
from helpouts.catalog.models import Expert
from helpouts.errors import Conflict, NotAllowed
from helpouts.states import Change, Machine

CORE = Path(helpouts.__file__).parent
ROOT = CORE.parent
MODULES = sorted(f"helpouts.{path.parent.name}.states" for path in CORE.glob("*/states.py"))
MACHINES: dict[str, Machine] = {
    machine.name: machine
    for module in MODULES
    for machine in vars(importlib.import_module(module)).values()
    if isinstance(machine, Machine)
}
ROWS = [(name, row) for name, machine in MACHINES.items() for row in machine.changes]
#: Assignments of ``.state`` that are no machine's, each with its reason.
NO_MACHINES = {
    "helpouts/states.py": "the machine itself",
    "helpouts/jobs/worker.py": "jobs are leased and finished by fenced updates",
    "helpouts/reviews/service.py": "a review is published or hidden, and each step is audited",
    "helpouts/payments/effects.py": "operations are the log of calls to a backend, with an outcome each",
    "helpouts/payments/operations.py": "the same",
    "helpouts/live/messages.py": "what a browser says of its microphone and camera",
    "helpouts/instant/answering.py": "the row of the machine as one conditional update: one device answers",
    "helpouts/testing/jobs.py": "jobs that a test does without a worker",
    "admin/src/helpouts_admin/services.py": "an operator brings a dead job back to life",
    "helpouts/testing/psp.py": "the books of a payment company in memory",
    "plugins/video_aiortc/src/helpouts_video_aiortc/private.py": "the DTLS connection's own state",
}


def test_the_machines_are_all_here() -> None:
    assert set(MACHINES) == {
        "application",
        "booking",
        "booking_extension",
        "booking_move",
        "coupon",
        "expert",
        "help_request",
        "instant_offer",
        "instant_request",
        "listing",
        "member_invitation",
        "payment",
        "payout",
        "recording",
        "refund",
        "session",
        "session_report",
        "support_request",
        "waitlist",
    }


@pytest.mark.parametrize(("name", "row"), ROWS, ids=lambda value: getattr(value, "event", value))
def test_a_row_is_well_formed(name: str, row: Change) -> None:
    assert row.event.isidentifier()
    assert row.sources
    assert row.who
    assert row.who <= set(get_args(Kind))
    assert all(len(state) <= 16 for state in row.sources | {row.target}), "the columns hold 16 characters"
    assert len(row.event) <= 40


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_an_event_leads_from_a_state_to_one_other_only(machine: Machine) -> None:
    pairs = [(row.event, state) for row in machine.changes for state in row.sources]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_every_state_can_be_reached(machine: Machine) -> None:
    reached = set(machine.beginnings)
    for _ in machine.states:
        reached |= {row.target for row in machine.changes if row.sources & reached}
    assert reached == machine.states


class Thing:
    """Anything with a state and an id."""

    def __init__(self, state: str) -> None:
        self.id, self.state = 7, state


def cases() -> list[tuple[Machine, str, str, Kind]]:
    """All machines, states, events and kinds of actor."""
    return [
        case
        for machine in MACHINES.values()
        for case in itertools.product(
            [machine], sorted(machine.states), sorted({row.event for row in machine.changes}), get_args(Kind)
        )
    ]


def test_what_the_table_does_not_allow_is_refused_and_changes_nothing() -> None:
    refused = 0
    for machine, state, event, kind in cases():
        row, thing = machine.find(state, event), Thing(state)
        if row is not None and kind in row.who:
            continue
        with pytest.raises(Conflict if row is None else NotAllowed):
            machine.apply(None, thing, event, Actor(kind))  # type: ignore[arg-type]  # refused before the session is used
        assert thing.state == state
        assert not machine.allows(state, event, Actor(kind))
        refused += 1
    assert refused > 500


def test_every_allowed_step_is_taken_and_recorded(db: Session) -> None:
    user = User(email="somebody@example.org", name="Somebody")
    db.add(user)
    db.flush()
    expected = []
    for machine, state, event, kind in cases():
        if not machine.allows(state, event, Actor(kind)):
            continue
        thing: Any = Thing(state)
        machine.apply(db, thing, event, Actor(kind, user.id, "somebody"), "because")
        row = machine.find(state, event)
        assert row is not None
        assert thing.state == row.target
        expected.append((machine.name, 7, event, state, row.target, user.id, "somebody", "because"))
    db.flush()
    steps = [
        (t.machine, t.subject_id, t.event, t.source, t.target, t.actor_id, t.actor, t.reason)
        for t in db.scalars(select(Transition).order_by(Transition.id))
    ]
    assert sorted(steps) == sorted(expected)


def test_a_step_of_something_new_is_recorded_with_its_id(db: Session) -> None:
    expert = Expert(slug="erika", name="Erika", state="active")
    MACHINES["expert"].apply(db, expert, "suspend", Actor("operator", None, "olga"), "complaints")
    db.flush()
    assert db.scalars(select(Transition.subject_id)).one() == expert.id


def _assigned(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        flat = [part for t in targets for part in (t.elts if isinstance(t, ast.Tuple) else [t])]
        if any(isinstance(part, ast.Attribute) and part.attr == "state" for part in flat):
            return True
        updates = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "values"
        if updates and any(keyword.arg == "state" for keyword in node.keywords):
            return True
    return False


def test_no_other_code_assigns_a_state() -> None:
    sources = [*CORE.rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py"), *ROOT.glob("admin/src/**/*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in sources if _assigned(ast.parse(path.read_text("utf-8")))}
    assert found == set(NO_MACHINES)
