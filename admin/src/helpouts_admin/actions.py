"""What an operator may do with a record: a form that asks for a reason, and a service that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts_admin.forms import ReasonForm


@dataclass(frozen=True, slots=True)
class ShowOnce:
    """What an action returns when there is something to see exactly once (an invitation code)."""

    label: object
    value: str
    note: object = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do, offered on the page of a record.

    :param run: ``run(db, record, form, actor)`` calls the services; the console commits.  Returns None or a
        :class:`ShowOnce`.
    :param when: whether the record is in a state for it.
    :param start: what the form holds at first, e.g. the version that the operator looks at.
    :param explain: what will happen, in one sentence.
    :param done: shown afterwards; a plain "Done." when empty.
    :param leads_to: the address of the page that comes next, with nothing said; else that of the record.
    """

    name: str
    label: object
    run: Callable[[Session, Any, Any, Actor], ShowOnce | None]
    form: type[FlaskForm] = ReasonForm
    when: Callable[[Any], bool] = lambda record: True
    explain: object = ""
    done: object = ""
    danger: bool = False
    start: Callable[[Any], Mapping[str, Any]] = lambda record: {}
    primary: bool = False
    leads_to: Callable[[Any], str] | None = None
