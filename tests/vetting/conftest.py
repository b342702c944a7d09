"""Operators, applicants, and a way to read the mails that were promised."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.accounts.service import ensure_roles
from helpouts.audit.actor import Actor
from helpouts.jobs.models import Job
from helpouts.vetting import service
from helpouts.vetting.models import Application

EXPERIENCE = "Eleven years in the support team of an internet provider, and the router of every neighbour in my street."

#: An application that nobody has anything against.
GOOD: dict[str, Any] = {
    "name": "Jonas Weber",
    "email": "jonas@example.org",
    "kind": "individual",
    "category": "it",
    "subcategory": "networks",
    "experience": EXPERIENCE,
    "link": "",
    "is_adult": True,
    "locale": "en",
    "zone": "Europe/Berlin",
}


@pytest.fixture
def apply(db: Session) -> Callable[..., Application]:
    """Hands in a good application, with changes."""
    return lambda **changes: service.apply(db, **{**GOOD, **changes})


@pytest.fixture
def make_user(db: Session) -> Callable[..., User]:
    """A stored account without a password."""

    def make(email: str = "jonas@example.org", *roles: str, **values: Any) -> User:
        known = ensure_roles(db)
        values.setdefault("name", "Jonas Weber")
        user = User(email=email, roles=[known[name] for name in ("customer", *roles)], **values)
        db.add(user)
        db.flush()
        return user

    return make


@pytest.fixture
def operator(make_user: Callable[..., User]) -> Callable[..., Actor]:
    """A new curator, as an actor."""

    def make() -> Actor:
        user = make_user(f"{secrets.token_hex(4)}@operators.example", "curator")
        return Actor("operator", user.id, user.email)

    return make


@pytest.fixture
def mails(db: Session) -> Callable[[], list[dict[str, Any]]]:
    """The mails that were promised so far."""
    return lambda: [job.payload for job in db.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))]
