"""What operators do: each action with its reason, its effect, and its entry in the audit log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from helpouts import site as site_settings
from helpouts.accounts.models import LoginSession, User
from helpouts.audit.models import AuditEntry
from helpouts.audit.service import first_broken
from helpouts.catalog.models import Expert, Listing
from helpouts.clock import clock
from helpouts.coupons.models import Coupon
from helpouts.jobs.models import Job
from helpouts.payments.models import Payment, Refund
from helpouts.reviews.models import Review
from helpouts.runtime import Runtime
from helpouts.sessions.models import LiveNode
from helpouts.vetting import service as vetting
from helpouts.vetting.models import Application, Invitation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Enter = Callable[..., FlaskClient]
Send = Callable[..., Any]


def actions_of(runtime: Runtime) -> list[tuple[str, str, str]]:
    """(actor, action, reason) of all audit entries."""
    with runtime.database.read() as db:
        assert first_broken(db) is None
        return [(e.actor, e.action, e.reason) for e in db.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def one(runtime: Runtime, model: type, number: int) -> Any:
    """A row as it is now."""
    with runtime.database.read() as db:
        found = db.get_one(model, number)
        db.expunge_all()  # what is read stays readable
        return found


def roles_of(runtime: Runtime, number: int) -> set[str]:
    """The names of somebody's roles as they are now."""
    with runtime.database.read() as db:
        return {role.name for role in db.get_one(User, number).roles}


def apply(runtime: Runtime) -> int:
    """Somebody applies."""
    with runtime.database.write() as db:
        return vetting.apply(
            db,
            name="Mara Lind",
            email="mara@test.example",
            kind="individual",
            category="it",
            subcategory="networks",
            experience="Twelve years of wireless networks in old houses. " * 3,
            link="",
            is_adult=True,
            locale="en",
            zone="Europe/Berlin",
        ).id


# -- applications and invitations ----------------------------------------------------------------------------------


def test_a_curator_writes_back(runtime: Runtime, enter: Enter, send: Send) -> None:
    number = apply(runtime)
    answer = send(enter("curator"), f"/console/applications/{number}/contact/", **{"contact-body": "Tell me more."})
    assert answer.status_code == 303
    assert one(runtime, Application, number).state == "contacted"
    assert "Tell me more." in enter("support").get(f"/console/applications/details/?id={number}").text


def test_an_invitation_shows_its_code_once_and_it_works(runtime: Runtime, enter: Enter, send: Send) -> None:
    number, client = apply(runtime), enter("curator")
    answer = send(client, f"/console/applications/{number}/invite/")
    assert answer.status_code == 200
    found = re.search(r"HELP(-[0-9A-Z]{4}){4}", answer.text)
    assert found
    with runtime.database.read() as db:
        invitation = vetting.check_code(db, found[0], "it")
        assert (invitation.email, invitation.category) == ("mara@test.example", "it")
    for path in (
        f"/console/applications/details/?id={number}",
        "/console/invitations/",
        "/console/audit/",
        "/console/mails/",
    ):
        assert found[0] not in enter().get(path).text, path
    assert one(runtime, Application, number).state == "invited"


def test_declining_needs_a_reason_and_keeps_what_was_typed(runtime: Runtime, enter: Enter, send: Send) -> None:
    number, client = apply(runtime), enter("curator")
    path = f"/console/applications/{number}/decline/"
    refused = send(client, path, **{"decline-reason": "  "})
    assert refused.status_code == 400
    assert "Say why." in refused.text
    assert one(runtime, Application, number).state == "received"
    assert send(client, path, **{"decline-reason": "We need references."}).status_code == 303
    application = one(runtime, Application, number)
    assert (application.state, application.reason) == ("declined", "We need references.")
    assert any(action.startswith("application.") for _, action, _ in actions_of(runtime))


def test_what_the_state_does_not_allow_is_refused_with_words(runtime: Runtime, enter: Enter, send: Send) -> None:
    number, client = apply(runtime), enter("curator")
    send(client, f"/console/applications/{number}/decline/", **{"decline-reason": "No."})
    page = client.get(f"/console/applications/details/?id={number}").text
    assert "/invite/" not in page
    answer = send(client, f"/console/applications/{number}/invite/")
    assert answer.status_code == 400
    assert one(runtime, Application, number).state == "declined"


def test_a_code_is_issued_and_revoked(runtime: Runtime, enter: Enter, send: Send) -> None:
    client = enter("curator")
    assert (
        send(client, "/console/invitations/issue/", **{"issue-email": "nobody", "issue-category": "it"}).status_code
        == 400
    )
    answer = send(client, "/console/invitations/issue/", **{"issue-email": "new@test.example", "issue-category": "it"})
    assert answer.status_code == 200
    assert re.search(r"HELP(-[0-9A-Z]{4}){4}", answer.text)
    with runtime.database.read() as db:
        number = db.scalars(select(Invitation.id)).one()
    path = f"/console/invitations/{number}/revoke/"
    assert send(client, path).status_code == 400
    assert send(client, path, **{"revoke-reason": "Wrong address"}).status_code == 303
    assert one(runtime, Invitation, number).revoked_at is not None
    assert actions_of(runtime)[-1][1:] == ("invitation.revoke", "Wrong address")


# -- listings and experts ------------------------------------------------------------------------------------------


def version_on(client: FlaskClient, number: int) -> str:
    """The version in the approval form, as the page has it."""
    page = client.get(f"/console/listings/details/?id={number}").text
    found = re.search(r'name="approve-version"[^>]*value="(\d+)"', page)
    assert found, "the form does not name the version"
    return found[1]


def test_an_approved_listing_goes_live(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, number = enter("curator"), world.review_listing
    answer = send(client, f"/console/listings/{number}/approve/", **{"approve-version": version_on(client, number)})
    assert answer.status_code == 303, answer.text
    assert one(runtime, Listing, number).state == "live"


def test_an_approved_edit_replaces_the_live_version(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, number = enter("curator"), world.live_listing
    page = client.get(f"/console/listings/details/?id={number}").text
    assert "What the edit changes" in page
    assert "<ins>New </ins>" in page
    assert "€30.00" in page
    answer = send(client, f"/console/listings/{number}/approve/", **{"approve-version": version_on(client, number)})
    assert answer.status_code == 303, answer.text
    listing = one(runtime, Listing, number)
    assert (listing.price_minor, listing.pending) == (3000, None)


def test_what_the_curator_has_not_seen_is_not_approved(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, number = enter("curator"), world.review_listing
    seen = version_on(client, number)
    with runtime.database.write() as db:
        db.get_one(Listing, number).summary = "Call me at 0170 1234567"
    for version in (seen, "", "x"):
        answer = send(client, f"/console/listings/{number}/approve/", **{"approve-version": version})
        assert answer.status_code == 400, version
    assert one(runtime, Listing, number).state == "in_review"


def test_stopping_a_coupon_and_allowing_it_again(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, number = enter("finance"), world.coupon
    assert "€6.25" in client.get(f"/console/coupons/details/?id={number}").text
    assert send(client, f"/console/coupons/{number}/stop/").status_code == 400
    for action, state in (("stop", "stopped"), ("allow", "active")):
        answer = send(client, f"/console/coupons/{number}/{action}/", **{f"{action}-reason": f"{action} it"})
        assert answer.status_code == 303, answer.text
        assert one(runtime, Coupon, number).state == state
    noted = [(action, reason) for _, action, reason in actions_of(runtime) if action.startswith("coupon.")]
    assert noted == [("coupon.stop", "stop it"), ("coupon.allow", "allow it")]


def test_suspending_and_reinstating_a_listing(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, number = enter("curator"), world.live_listing
    assert send(client, f"/console/listings/{number}/suspend/").status_code == 400
    assert send(client, f"/console/listings/{number}/suspend/", **{"suspend-reason": "Reported"}).status_code == 303
    assert one(runtime, Listing, number).state == "suspended"
    assert send(client, f"/console/listings/{number}/reinstate/").status_code == 303
    assert one(runtime, Listing, number).state == "live"
    assert "Reported" in client.get(f"/console/listings/details/?id={number}").text


def test_suspending_an_expert(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, number = enter("curator"), world.expert
    assert (
        send(client, f"/console/experts/{number}/suspend/", **{"suspend-reason": "Three no-shows"}).status_code == 303
    )
    assert one(runtime, Expert, number).state == "suspended"
    assert actions_of(runtime)[-1][1:] == ("expert.suspend", "Three no-shows")


# -- business ------------------------------------------------------------------------------------------------------


def test_hiding_a_review_needs_a_reason(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    with runtime.database.write() as db:
        for model, number in ((Listing, world.live_listing), (Expert, world.expert)):
            db.execute(update(model).where(model.id == number).values(rating_sum=2, rating_count=1))
    client, path = enter("support"), f"/console/reviews/{world.review}/hide/"
    assert send(client, path).status_code == 400
    assert one(runtime, Review, world.review).state == "published"
    assert send(client, path, **{"hide-reason": "Insults"}).status_code == 303
    assert one(runtime, Review, world.review).state == "hidden"
    assert "Insults" in client.get(f"/console/reviews/details/?id={world.review}").text


def test_refusing_a_disputed_refund(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, path = enter("finance"), f"/console/refunds/{world.refund}/decide/"
    for amount in ("", "-1", "10.001", "99", "lots"):
        answer = send(client, path, **{"decide-amount": amount, "decide-reason": "They were there."})
        assert answer.status_code == 400, amount
    answer = send(client, path, **{"decide-amount": "0", "decide-reason": "They were there."})
    assert answer.status_code == 303, answer.text
    refund = one(runtime, Refund, world.refund)
    assert (refund.state, refund.granted_minor, refund.answer) == ("denied", 0, "They were there.")
    assert ("refund.decide", "They were there.") in [entry[1:] for entry in actions_of(runtime)]


def test_more_than_was_paid_is_not_given_back(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    answer = send(
        enter("finance"),
        f"/console/payments/{world.payment}/refund/",
        **{"refund-amount": "25.01", "refund-reason": "x"},
    )
    assert answer.status_code == 400
    assert one(runtime, Payment, world.payment).refunded_minor == 0


def test_the_ledger_is_checked_on_demand(enter: Enter, send: Send, people: dict[str, User]) -> None:
    client = enter("finance")
    assert send(client, "/console/ledger/verify/").status_code == 303
    assert "rules hold" in client.get("/console/ledger/").text


def test_a_broken_ledger_is_told(enter: Enter, send: Send, world: Any) -> None:
    client = enter("finance")
    assert "Does not add up" in client.get("/console/").text
    send(client, "/console/ledger/verify/")
    assert "does not hold" in client.get("/console/ledger/").text


# -- users ---------------------------------------------------------------------------------------------------------


def test_roles_are_given_and_taken_with_a_reason(
    runtime: Runtime, enter: Enter, send: Send, people: dict[str, User]
) -> None:
    client, number = enter("admin"), people["customer"].id
    path = f"/console/users/{number}"
    assert send(client, f"{path}/grant/", **{"grant-role": "support"}).status_code == 400
    assert send(client, f"{path}/grant/", **{"grant-role": "root", "grant-reason": "x"}).status_code == 400
    assert (
        send(client, f"{path}/grant/", **{"grant-role": "support", "grant-reason": "New colleague"}).status_code == 303
    )
    assert roles_of(runtime, number) == {"customer", "support"}
    assert send(client, f"{path}/revoke/", **{"revoke-role": "support", "revoke-reason": "Left"}).status_code == 303
    assert roles_of(runtime, number) == {"customer"}
    told = [entry[1:] for entry in actions_of(runtime)]
    assert told[-2:] == [("role.grant", "New colleague"), ("role.revoke", "Left")]


def test_the_last_admin_stays(runtime: Runtime, enter: Enter, send: Send, people: dict[str, User]) -> None:
    path = f"/console/users/{people['admin'].id}"
    answer = send(enter(), f"{path}/revoke/", **{"revoke-role": "admin", "revoke-reason": "x"})
    assert answer.status_code == 400
    assert "last admin" in answer.text
    assert send(enter(), f"{path}/lock/", **{"lock-reason": "x"}).status_code == 400
    assert one(runtime, User, people["admin"].id).active


def test_signing_somebody_out_everywhere(runtime: Runtime, enter: Enter, send: Send, people: dict[str, User]) -> None:
    customer = enter("customer")
    number = people["customer"].id
    with runtime.database.read() as db:
        assert db.scalars(select(LoginSession).where(LoginSession.user_id == number)).all()
    path = f"/console/users/{number}/sign_out/"
    assert send(enter("support"), path, **{"sign_out-reason": "Lost phone"}).status_code == 303
    with runtime.database.read() as db:
        assert not db.scalars(select(LoginSession).where(LoginSession.user_id == number)).all()
    assert customer.get("/console/").status_code == 302
    assert actions_of(runtime)[-1][1:] == ("user.sign_out", "Lost phone")


def test_support_cannot_give_itself_roles(runtime: Runtime, enter: Enter, send: Send, people: dict[str, User]) -> None:
    path = f"/console/users/{people['support'].id}/grant/"
    assert send(enter("support"), path, **{"grant-role": "admin", "grant-reason": "x"}).status_code == 403
    assert "/grant/" not in enter("support").get(f"/console/users/details/?id={people['support'].id}").text


# -- site ----------------------------------------------------------------------------------------------------------


def test_a_job_that_was_given_up_is_tried_again(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client, path = enter("support"), f"/console/jobs/{world.job}/retry/"
    assert send(client, path).status_code == 303
    job = one(runtime, Job, world.job)
    assert (job.state, job.attempts) == ("ready", 0)
    assert actions_of(runtime)[-1][1] == "job.retry"
    assert send(client, path).status_code == 400


FORM = {
    "state": "open",
    "fee": "20",
    "payment_backend": "",
    "video_transport": "",
    "storage": "",
    "hold_minutes": "15",
    "application_days": "5",
    "invitation_days": "14",
    "refund_hours": "72",
    "late_minutes": "5",
    "files_days": "90",
    "recording_days": "30",
    "ring_seconds": "60",
    "line_grace_seconds": "120",
    "rank_text": "100",
    "rank_rating": "40",
    "rank_soon": "25",
    "rank_reliability": "20",
    "rank_fresh": "10",
    "rank_new": "15",
}


def test_site_settings_are_written_and_audited(runtime: Runtime, enter: Enter, send: Send) -> None:
    client = enter()
    assert send(client, "/console/site/", **{**FORM, "state": "prelaunch", "fee": "12.5"}).status_code == 303
    with runtime.database.read() as db:
        assert (site_settings.get(db, "state"), site_settings.get(db, "fee_bp")) == ("prelaunch", 1250)
    assert [action for _, action, _ in actions_of(runtime)] == ["site.set", "site.set"]
    assert client.get("/console/site/").status_code == 200
    assert send(client, "/console/site/", **FORM).status_code == 303


def test_a_category_gets_a_video_transport_of_its_own(runtime: Runtime, enter: Enter, send: Send) -> None:
    client = enter()
    assert send(client, "/console/site/", **FORM, video_transport_of_it="p2p").status_code == 303
    with runtime.database.read() as db:
        assert site_settings.get(db, "video_transports") == {"it": "p2p"}
    assert "Video transport: " in client.get("/console/site/").text
    assert send(client, "/console/site/", **FORM, video_transport_of_it="smoke").status_code == 400
    assert send(client, "/console/site/", **FORM, video_transport_of_it="").status_code == 303
    with runtime.database.read() as db:
        assert site_settings.get(db, "video_transports") == {}


def test_a_live_process_is_drained_by_an_administrator_only(runtime: Runtime, enter: Enter, send: Send) -> None:
    with runtime.database.write() as db:
        for name in ("n1", "n2"):
            db.add(LiveNode(name=name, public_url=f"http://{name}", heartbeat_at=clock.now()))
    assert send(enter("support"), "/console/health/drain/", node="n1", draining="1").status_code == 403
    client = enter()
    assert send(client, "/console/health/drain/", node="n1", draining="1").status_code == 303
    with runtime.database.read() as db:
        assert db.get_one(LiveNode, "n1").draining is True
    assert actions_of(runtime)[-1][1] == "live.drain"
    assert "Take new rooms again" in client.get("/console/health/").text
    assert send(client, "/console/health/drain/", node="n2", draining="1").status_code == 409
    assert send(client, "/console/health/drain/", node="n1", draining="0").status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [
        {"fee": "101"},
        {"fee": "-1"},
        {"fee": "x"},
        {"state": "closed"},
        {"hold_minutes": "0"},
        {"payment_backend": "gold"},
    ],
)
def test_wrong_site_settings_change_nothing(runtime: Runtime, enter: Enter, send: Send, wrong: dict[str, str]) -> None:
    answer = send(enter(), "/console/site/", **{**FORM, "late_minutes": "9", **wrong})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    with runtime.database.read() as db:
        assert site_settings.get(db, "late_minutes") == 5


def test_a_changed_audit_entry_is_found(runtime: Runtime, enter: Enter, send: Send, world: Any) -> None:
    client = enter()
    send(client, "/console/audit/check/")
    assert "The chain is whole" in client.get("/console/audit/").text
    with runtime.database.write() as db:
        db.execute(update(AuditEntry).where(AuditEntry.id == world.audit).values(reason="nothing happened"))
    send(client, "/console/audit/check/")
    assert f"broken at entry {world.audit}" in client.get("/console/audit/").text
