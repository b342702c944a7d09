"""The people of the demo: an operator, a customer, those who wrote reviews, and the experts of the categories."""

from __future__ import annotations

import zlib

from sqlalchemy.orm import Session

from helpouts.accounts import service as accounts
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.catalog import Category, ExampleListing
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember
from helpouts.catalog.slugs import free_slug
from helpouts.clock import clock
from helpouts.demo.faces import Look, face_svg
from helpouts.i18n import in_language
from helpouts.scheduling.rules import WeeklyRule
from helpouts.scheduling.service import save_schedule

DEMO = Actor("system", None, "demo")
OPERATOR_ACTOR = Actor("operator", None, "demo")
DOMAIN = "demo.example"
#: Mail addresses of those whose credentials are printed.
OPERATOR, CUSTOMER, EXPERT = f"operator@{DOMAIN}", f"customer@{DOMAIN}", f"expert@{DOMAIN}"
#: The expert of the founding example, who can be booked at any hour.
FOUNDING_EXPERT = "Jonas Weber"
_HOURS: tuple[tuple[str, list[tuple[int, int, int]]], ...] = (
    ("Europe/Berlin", [(d, *hours) for d in range(5) for hours in ((540, 780), (840, 1080))]),
    ("Europe/Berlin", [(d, 960, 1320) for d in range(7)]),
    ("Europe/London", [(d, 480, 1020) for d in range(6)]),
    ("Europe/Vienna", [(d, 600, 840) for d in range(1, 6)] + [(5, 540, 900)]),
    ("Asia/Kolkata", [(d, 720, 1260) for d in range(6)]),
    ("America/New_York", [(d, 540, 1020) for d in range(5)]),
)


#: First names that tell how a face should look; the others leave it to chance.
_FEMININE = """
Priya Marta Sofia Leila Chiara Esther Yuki Anna Grace Ruth Clara Olivia Anja Ines Hannah Gerda Marianne Sabine Julia
Nora Beate Mirjam Amelie Miriam Carla Johanna Sina Aylin Lea Renate Zoe Verena Dorothea Katharina Mai
"""
_MASCULINE = """
Jonas Henry Frank Owen Tarek Mateo Deniz Paul Tom Lukas Winfried Oliver Emre Kai Jan Christoph Stefan Philipp Felix
Simon Farid Nils Ben Ömer Tobias
"""


def face(name: str) -> str:
    """The same face for the same name, everywhere."""
    first = name.split()[0]
    look: Look = "feminine" if first in _FEMININE.split() else "masculine" if first in _MASCULINE.split() else "any"
    return face_svg(zlib.crc32(name.encode()), look=look)


def make_user(
    db: Session, email: str, name: str, password: str | None, *roles: str, zone: str = "Europe/Berlin"
) -> User:
    """A person of the demo, with mail address confirmed and a drawn face; without a password nobody can sign in."""
    if password is not None:
        user = accounts.create_user(db, email, password, name, roles=roles, confirmed=True, zone=zone)
    else:
        known = accounts.ensure_roles(db)
        wanted = [known[role] for role in ("customer", *roles)]
        user = User(email=email, name=name, zone=zone, confirmed_at=clock.now(), roles=wanted)
        db.add(user)
        db.flush()
    user.avatar = face(name)
    return user


def make_expert(db: Session, example: ExampleListing, category: Category, password: str | None, number: int) -> Expert:
    """The expert of an example listing, with hours."""
    founding = example.expert == FOUNDING_EXPERT
    zone, hours = _HOURS[0] if founding else _HOURS[number % len(_HOURS)]
    email = EXPERT if founding else f"{example.expert.lower().replace(' ', '.')}@{DOMAIN}"
    email = email.encode("ascii", "ignore").decode()
    user = make_user(db, email, example.expert, password if founding else None, "expert", zone=zone)
    expert = Expert(
        slug=free_slug(db, Expert.slug, example.expert, "expert"),
        name=example.expert,
        headline=example.headline,
        bio=in_language(example.bio, "en"),
        languages=list(example.languages),
    )
    db.add(expert)
    db.flush()
    db.add(ExpertMember(expert_id=expert.id, user_id=user.id, role="owner"))
    db.add(ExpertCategory(expert_id=expert.id, category=category.slug))
    db.flush()
    db.refresh(expert)
    if founding:
        hours = [(day, 0, 1440) for day in range(7)]
    rules = [WeeklyRule(*window) for window in hours]
    save_schedule(db, user.id, zone, rules, minimum_notice_minutes=0 if founding else 60)
    return expert


def make_company(db: Session, name: str, headline: str, bio: str, category: Category, members: list[str]) -> Expert:
    """A company whose members have different hours; the first is the owner, the second a manager."""
    expert = Expert(
        kind="company",
        slug=free_slug(db, Expert.slug, name, "expert"),
        name=name,
        headline=headline,
        bio=bio,
        languages=["en", "de"],
    )
    db.add(expert)
    db.flush()
    for number, member in enumerate(members):
        email = f"{member.lower().replace(' ', '.')}@{DOMAIN}".encode("ascii", "ignore").decode()
        zone, hours = _HOURS[number % len(_HOURS)]
        user = make_user(db, email, member, None, "expert", zone=zone)
        save_schedule(db, user.id, zone, [WeeklyRule(*window) for window in hours], minimum_notice_minutes=60)
        role = ("owner", "manager")[number] if number < 2 else "member"
        db.add(ExpertMember(expert_id=expert.id, user_id=user.id, role=role))
    db.add(ExpertCategory(expert_id=expert.id, category=category.slug))
    db.flush()
    db.refresh(expert)
    return expert
