"""A site with the console, operators of every role, and one of everything to look at."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.audit.actor import Actor
from helpouts.audit.models import Transition
from helpouts.audit.service import record
from helpouts.bookings.models import Booking
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.coupons.models import Coupon, CouponUse
from helpouts.hookspecs import hookimpl
from helpouts.jobs.service import enqueue
from helpouts.packages.models import Package, PackageOffer
from helpouts.payments.ledger import Line, post
from helpouts.payments.models import Payment, Payout, Refund
from helpouts.plugins import AdminView, HealthCheck, Problem, Setting
from helpouts.plugins.models import PluginFailure
from helpouts.reviews.models import Review
from helpouts.runtime import Runtime
from helpouts.sessions.models import LiveNode, Presence, RoomMessage
from helpouts.sessions.models import Session as Room
from helpouts.sessions.support_models import SupportRequest
from helpouts.sessions.tool_models import RoomNote, SessionReport
from helpouts.testing.factories import make_expert, make_user
from helpouts.testing.plugin import PLUGINS
from helpouts.vetting.models import Application, ApplicationMessage, Invitation, Verdict
from helpouts.web.app import create_app
from helpouts.wishes.models import HelpRequest

ROLES = ("support", "curator", "finance", "admin")
#: What an attacker would write into every text that an operator looks at.
NASTY = "<script>alert('x')</script><img src=x onerror=alert(1)>"


class _Plugin:
    """Something to hang hooks on."""


def _sample() -> _Plugin:
    """A plugin with settings of every kind, pages for the console and health checks, one of each broken."""
    module = _Plugin()

    @hookimpl
    def helpouts_settings() -> list[Setting]:
        return [
            Setting("name", str, "Alpha", "Name of the service", maximum=20),
            Setting("count", int, 3, "How many", minimum=1, maximum=9),
            Setting("fast", bool, False, "Be quick"),
            Setting("mode", str, "a", "Mode", choices=("a", "b")),
            Setting("hosts", list, [], "Hosts"),
            Setting("api_key", str, "", "Key of the service", secret=True, minimum=0),
        ]

    def broken(*_args: object) -> Any:
        raise RuntimeError("SELECT secret FROM vault")

    @hookimpl
    def helpouts_admin_views() -> list[AdminView]:
        return [
            AdminView(
                "report", "Weekly report", "finance", lambda db: Markup("<p>Seven <strong>sessions</strong></p>")
            ),
            AdminView("plain", "Plain text", "admin", lambda db: NASTY),
            AdminView("broken", "Broken page", "admin", broken),
            AdminView("loose", "For everybody", "public", lambda db: "open to all"),
        ]

    @hookimpl
    def helpouts_health_checks() -> list[HealthCheck]:
        return [
            HealthCheck("tap", "Water", lambda db, settings: [Problem("warning", "The tap drips.", "Close it.")]),
            HealthCheck("broken", "Broken check", broken),
        ]

    for function in (helpouts_settings, helpouts_admin_views, helpouts_health_checks):
        setattr(module, function.__name__, function)
    return module


@pytest.fixture(scope="session")
def plugin_modules() -> tuple[tuple[str, str], ...]:
    """The usual plugins, the console, and the sample."""
    sys.modules["helpouts_console_sample"] = _sample()  # type: ignore[assignment]  # an object will do
    return (*PLUGINS, ("console", "helpouts_admin"), ("sample", "helpouts_console_sample"))


@pytest.fixture
def site(runtime: Runtime) -> Flask:
    """The application with the console mounted."""
    app = create_app(runtime)
    assert not runtime.registry.plugins["console"].error, runtime.registry.plugins["console"].traceback
    return app


@pytest.fixture
def people(runtime: Runtime) -> dict[str, User]:
    """One operator of each role, and "customer"."""
    with runtime.database.write() as db:
        made = {role: make_user(db, f"{role.title()} Operator", role) for role in ROLES}
        made["customer"] = make_user(db, "Clara Berg")
    return made


@pytest.fixture
def enter(site: Flask, people: dict[str, User]) -> Callable[..., FlaskClient]:
    """A browser in which somebody of that role is signed in."""

    def make(role: str = "admin", app: Flask | None = None) -> FlaskClient:
        client = (app or site).test_client()
        with client.session_transaction() as stored:
            stored["_user_id"] = people[role].fs_uniquifier
            stored["_fresh"] = True
        return client

    return make


@pytest.fixture
def send() -> Callable[..., Any]:
    """Sends a form with the token of the page that it stands on."""

    tokens: dict[FlaskClient, str] = {}

    def post_form(client: FlaskClient, path: str, on: str = "/console/", **values: Any) -> Any:
        if client not in tokens:
            page = client.get(on)
            found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
            assert found, f"no form on {on}: {page.status}"
            tokens[client] = found[1]
        return client.post(path, data={"csrf_token": tokens[client], **values})

    return post_form


@dataclass(frozen=True)
class World:
    """Ids of one of everything."""

    application: int
    invitation: int
    expert: int
    review_listing: int
    live_listing: int
    booking: int
    room: int
    payment: int
    refund: int
    payout: int
    journal: int
    review: int
    report: int
    call: int
    user: int
    job: int
    mail: int
    audit: int
    request: int
    coupon: int
    package: int


@pytest.fixture
def world(runtime: Runtime, people: dict[str, User]) -> World:
    """One of everything, each text as nasty as it can be."""
    with runtime.database.write() as db:
        return fill(db, people)


@pytest.fixture
def fill_world() -> Callable[[Session, dict[str, User]], World]:
    """Adds one of everything, for tests that count queries."""
    return fill


def fill(db: Session, people: dict[str, User]) -> World:
    """Write one of everything into the database."""
    now = clock.now()
    customer = make_user(db, NASTY)
    expert: Expert = make_expert(db, NASTY)
    host = expert.owner
    expert.headline = expert.bio = NASTY
    application = Application(
        public_id=f"a{customer.id}",
        name=NASTY,
        email=f"a{customer.id}@test.example",
        category="it",
        subcategory="networks",
        experience=NASTY,
        link="javascript:alert(1)",
        is_adult=True,
        due_at=now - timedelta(days=1),
    )
    db.add(application)
    db.flush()
    db.add(ApplicationMessage(application_id=application.id, body=NASTY))
    for kind, number in (("application", application.id), ("expert", expert.id)):
        db.add(_verdict(kind, number))
    invitation = Invitation(
        code_hash=f"{customer.id:064}",
        hint="03WV",
        category="it",
        email=NASTY,
        application_id=application.id,
        expires_at=now + timedelta(days=3),
    )
    reviewed, live = _listing(db, expert, "in_review"), _listing(db, expert, "live")
    live.pending = {"title": f"New {NASTY}", "price_minor": 3000}
    db.add(_verdict("listing", reviewed.id))
    booking = Booking(
        public_id=f"b{customer.id}",
        listing_id=live.id,
        expert_id=expert.id,
        host_id=host.id,
        customer_id=customer.id,
        state="completed",
        starts_at=now - timedelta(hours=2),
        ends_at=now - timedelta(hours=1),
        title=NASTY,
        category="it",
        pricing="fixed",
        price_minor=2500,
        currency="EUR",
        amount_minor=2500,
        fee_bp=2000,
        cancellation_policy="moderate",
        customer_zone="UTC",
        host_zone="UTC",
        intake=[{"key": "k", "label": NASTY, "answer": NASTY}],
        cancel_reason=NASTY,
    )
    db.add_all([invitation, booking])
    db.flush()
    room = Room(
        booking_id=booking.id, room_id=f"r{customer.id}", state="open", opened_at=now - timedelta(minutes=9), node=NASTY
    )
    payment = Payment(
        public_id=f"p{customer.id}",
        booking_id=booking.id,
        backend="wallet",
        state="captured",
        currency="EUR",
        payer_id=customer.id,
        payee_id=host.id,
        amount_minor=2500,
        captured_minor=2500,
        fee_bp=2000,
        fee_minor=500,
        funding=f"wallet:{customer.id}",
        holds_money=True,
        rounding="v1",
    )
    review = Review(
        booking_id=booking.id,
        listing_id=live.id,
        expert_id=expert.id,
        author_id=customer.id,
        stars=2,
        text=NASTY,
        reply=NASTY,
    )
    db.add_all([room, payment, review])
    db.flush()
    db.add(Presence(session_id=room.id, user_id=host.id, node="n", device=NASTY, joined_at=now, last_seen_at=now))
    report = SessionReport(
        session_id=room.id, reporter_id=customer.id, about_id=host.id, reason="fraud", text=NASTY, state="open"
    )
    said = RoomMessage(session_id=room.id, seq=1, user_id=host.id, client_id="a", body=NASTY)
    call = SupportRequest(session_id=room.id, asked_by=customer.id, reason=NASTY)
    db.add_all([report, call, said, RoomNote(session_id=room.id, revision=1, text=NASTY)])
    refund = Refund(payment_id=payment.id, state="escalated", asked_minor=1000, reason=NASTY, asked_by=customer.id)
    payout = Payout(user_id=customer.id, amount_minor=900, currency="EUR", idem_key=f"k{customer.id}")
    db.add_all([refund, payout])
    terms = {"listing_id": live.id, "length_minutes": 30, "sessions": 4, "price_minor": 2000, "currency": "EUR"}
    offer = PackageOffer(**terms)
    db.add(offer)
    db.flush()
    package = Package(
        offer_id=offer.id,
        customer_id=customer.id,
        public_id=f"{customer.id}",
        title=NASTY,
        funding=NASTY,
        idempotency_key=f"k{customer.id}",
        **terms,
    )
    db.add(package)
    db.flush()
    post(db, f"p{customer.id}", "package_buy", package.ref, [Line("bank:main", package.account, 6000, "EUR")])
    journal = post(
        db, f"j{customer.id}", "topup", NASTY, [Line("bank:main", f"wallet:{customer.id}", 2500, "EUR")]
    ).journal_id
    job = enqueue(db, NASTY)
    job.state, job.last_error = "dead", NASTY
    key = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.0123456789abcdef"
    body = f"{NASTY} HELP-7Q4M-K2XR-9PTD-03WV https://x.example/reset/{key}"
    mail = enqueue(
        db,
        "mail.send",
        {"to": NASTY, "subject": NASTY, "body": body, "attachments": []},
    )
    mail.state = "dead"
    entry = record(db, Actor("operator", None, NASTY), "test.action", application, NASTY, note=NASTY)
    db.add(
        Transition(
            machine="application",
            subject_id=application.id,
            event="e",
            source="a",
            target="b",
            actor=NASTY,
            reason=NASTY,
        )
    )
    asked = HelpRequest(
        customer=customer,
        category="it",
        title=NASTY,
        text=NASTY,
        budget_minor=2000,
        expires_at=now + timedelta(days=14),
    )
    coupon = Coupon(
        code=f"NASTY-{customer.id}",
        expert_id=expert.id,
        listing_id=live.id,
        percent=20,
        currency="EUR",
        zone="UTC",
        used=1,
    )
    db.add_all([asked, coupon])
    db.flush()
    db.add(
        CouponUse(
            coupon_id=coupon.id,
            booking_id=booking.id,
            customer_id=customer.id,
            once=True,
            price_minor=3125,
            amount_minor=3125,
            discount_minor=625,
        )
    )
    db.add(PluginFailure(plugin="sample", where=NASTY, message=NASTY, traceback=NASTY))
    if db.get(LiveNode, NASTY) is None:
        db.add(LiveNode(name=NASTY, public_url=NASTY, heartbeat_at=now))
    db.flush()
    return World(
        application.id,
        invitation.id,
        expert.id,
        reviewed.id,
        live.id,
        booking.id,
        room.id,
        payment.id,
        refund.id,
        payout.id,
        journal,
        review.id,
        report.id,
        call.id,
        customer.id,
        job.id,
        mail.id,
        entry.id,
        asked.id,
        coupon.id,
        package.id,
    )


def _verdict(kind: str, number: int) -> Verdict:
    return Verdict(
        subject_type=kind,
        subject_id=number,
        rule=NASTY[:60],
        outcome="person",
        reasons=[NASTY],
        evidence={NASTY: NASTY},
    )


def _listing(db: Session, expert: Expert, state: str) -> Listing:
    made = Listing(
        slug=f"{state}-{expert.id}",
        expert_id=expert.id,
        category="it",
        subcategory="networks",
        title=NASTY,
        summary=NASTY,
        description=NASTY,
        requirements=NASTY,
        fields={NASTY: NASTY},
        languages=["en"],
        price_minor=2500,
        state=state,
    )
    db.add(made)
    db.flush()
    return made
