"""Fills an empty site with believable content, once."""

from __future__ import annotations

import random
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import helpouts.jobs.catalogue  # noqa: F401  # registers the core's handlers, whose jobs the services promise
from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.catalog import Category, ExampleListing, serving
from helpouts.catalog import service as catalog
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.coupons import making as coupons
from helpouts.coupons.making import Terms
from helpouts.demo import people
from helpouts.demo.history import past_session
from helpouts.demo.people import DEMO
from helpouts.i18n import in_language
from helpouts.jobs.models import Job
from helpouts.packages import offers
from helpouts.packages import service as packages
from helpouts.runtime import Runtime
from helpouts.vetting import service as vetting

Example = tuple[Category, ExampleListing]


def seed(runtime: Runtime) -> dict[str, str] | None:
    """Make the demo's content; mail address to password of those who can sign in, None when it is there already."""
    with runtime.database.read() as db:
        if db.scalar(select(User.id).limit(1)) is not None:
            return None
    try:
        with runtime.database.write() as db:
            return _fill(db, runtime)
    finally:
        clock.set(None)


def _fill(db: Session, runtime: Runtime) -> dict[str, str]:
    today = clock.now().replace(hour=6, minute=0, second=0, microsecond=0)
    clock.set(today - timedelta(days=90))
    passwords = {email: secrets.token_urlsafe(9) for email in (people.CUSTOMER, people.EXPERT, people.OPERATOR)}
    people.make_user(db, people.OPERATOR, "Olivia Operator", passwords[people.OPERATOR], "admin")
    customer = people.make_user(db, people.CUSTOMER, "Clara Berg", passwords[people.CUSTOMER])
    examples = [(c, e) for c in runtime.registry.categories(db).values() for e in c.examples]
    experts = {
        example.expert: people.make_expert(db, example, category, passwords[people.EXPERT], number)
        for number, (category, example) in enumerate(examples)
    }
    company = _company(db, examples)
    reviewers = _reviewers(db, examples)
    payers = [customer.id, *(user.id for user in reviewers.values())]
    earners = [*experts.values(), *([company] if company else [])]
    runtime.registry.fill_demo(db, payers, [expert.owner.id for expert in earners])
    if company is not None:
        _company_listing(db, company, examples)
    listings = [_listing(db, experts[example.expert], category, example) for category, example in examples]
    chance = random.Random(2013)  # noqa: S311  # the same demo every time, nothing secret
    for (category, example), listing in zip(examples, listings, strict=True):
        for number, (stars, name, text) in enumerate(example.reviews):
            day = today - timedelta(days=75 - 20 * number - chance.randint(0, 9))
            past_session(db, listing, reviewers[name], category, day, (stars, text), chance)
    clock.set(None)
    _package(db, customer, listings)
    _waiting(db)
    _coupon(db)
    # The demo's past is not mailed, nor told to anybody.
    past = ("mail.send", "event.deliver", "session.close", "booking.announce")
    db.execute(delete(Job).where(Job.state == "ready", Job.kind.in_(past)))
    return passwords


def _reviewers(db: Session, examples: list[Example]) -> dict[str, User]:
    names = sorted({review[1] for _, example in examples for review in example.reviews})
    return {
        name: people.make_user(db, f"reviewer{number}@{people.DOMAIN}", name, None) for number, name in enumerate(names)
    }


def _listing(db: Session, expert: Expert, category: Category, example: ExampleListing) -> Listing:
    values: dict[str, Any] = {
        "category": category.slug,
        "subcategory": example.subcategory,
        "title": in_language(example.title, "en"),
        "summary": in_language(example.summary, "en"),
        "description": in_language(example.description, "en"),
        "requirements": "",
        "languages": list(example.languages),
        "fields": dict(example.fields),
        "pricing": example.pricing,
        "price_minor": example.price_minor,
        "currency": "EUR",
        "length_minutes": example.length_minutes,
        "cancellation_policy": category.cancellation_policies[min(1, len(category.cancellation_policies) - 1)],
    }
    listing = catalog.create_listing(db, expert, values, DEMO)
    catalog.submit(db, listing, DEMO)
    catalog.approve(db, listing, people.OPERATOR_ACTOR, "demo")
    return listing


def _company(db: Session, examples: list[Example]) -> Expert | None:
    """A company of three, where there is the field for it."""
    category = next((category for category, _ in examples if category.slug == "it"), None)
    if category is None:
        return None
    return people.make_company(
        db,
        "Kabelsalat Cooperative",
        "Four screwdrivers, three people, one evening line",
        "We share one workshop and one calendar: whoever is free takes your call, from early until late.",
        category,
        ["Renate Vogt", "Nils Ahrens", "Aylin Kaya"],
    )


def _company_listing(db: Session, company: Expert, examples: list[Example]) -> None:
    category, example = next((category, example) for category, example in examples if category.slug == "it")
    shared = replace(
        example,
        title={"en": "A computer that does not do what it should"},
        summary={"en": "Tell us what happens; one of us looks at it with you, over your shoulder."},
        description={
            "en": "Slow, loud, full of windows nobody asked for: we share your screen, look for the cause and "
            "leave you with a note of what we did. Any of us can take over where another has stopped."
        },
        pricing="per_minute",
        price_minor=90,
        length_minutes=45,
    )
    listing = _listing(db, company, category, shared)
    serving.save_serving(db, listing, "any", True, [member.user_id for member in company.members], DEMO)


def _package(db: Session, customer: User, listings: list[Listing]) -> None:
    """Sessions of a fixed price, several for less; the customer has bought some where they can be paid in advance."""
    listing = next((one for one in listings if one.pricing == "fixed"), None)
    if listing is None:
        return
    small, _large = (
        offers.add_offer(db, listing, listing.length_minutes, count, listing.price_minor * percent // 100, DEMO)
        for count, percent in ((3, 80), (10, 75))
    )
    if offers.available(db):
        actor = Actor("customer", customer.id, customer.email)
        packages.buy(db, small, customer, actor, idempotency_key="demo")


def _waiting(db: Session) -> None:
    """Two applications for the operator to look at."""
    common: dict[str, Any] = {"kind": "individual", "link": "", "is_adult": True}
    common.update(locale="en", zone="Europe/Berlin")
    vetting.apply(
        db,
        name="Noor Visser",
        email=f"noor@{people.DOMAIN}",
        category="it",
        subcategory="networks",
        experience="Network engineer at a hospital for eight years; I set up the Wi-Fi of half my street.",
        **common,
    )
    vetting.apply(
        db,
        name="Bruno Keller",
        email=f"bruno@{people.DOMAIN}",
        category="home_garden",
        subcategory="garden",
        experience="Landscape gardener, master's certificate, 20 years in the trade.",
        **common,
    )


def _coupon(db: Session) -> None:
    """One of the expert who can sign in, for people who are new to them."""
    expert = catalog.expert_of(db, db.scalars(select(User).where(User.email == people.EXPERT)).one())
    if expert is not None:
        terms = Terms(percent=20, amount_minor=None, currency="EUR", most_uses=50, newcomers_only=True)
        coupons.create(db, expert, "WELCOME20", terms, DEMO)


def print_credentials(passwords: dict[str, str] | None, url: str) -> None:
    """Tell who can sign in, once; only the hashes are kept."""
    if passwords is None:
        click.echo("The site has content already; the demo's credentials were printed when it was made.")
        return
    click.echo(f"\nDemo site: {url}\nSign in as one of these (shown only now):\n")
    for role, email in (("customer", people.CUSTOMER), ("expert", people.EXPERT), ("operator", people.OPERATOR)):
        click.echo(f"  {role:9} {email:28} {passwords[email]}")
    click.echo("")
