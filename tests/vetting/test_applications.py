"""From the form to the decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.models import AuditEntry
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError, NotAllowed
from helpouts.plugins.service import set_enabled
from helpouts.vetting import service
from helpouts.vetting.models import Application, Invitation

Apply = Callable[..., Application]
Operator = Callable[..., Actor]
Mails = Callable[[], list[dict[str, Any]]]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_application_is_kept_judged_and_confirmed_by_mail(db: Session, apply: Apply, mails: Mails) -> None:
    clock.set(NOON)
    application = apply(link="jonas.example.org/work")
    assert application.state == "received"
    assert application.due_at == NOON + timedelta(days=5)
    assert application.link == "https://jonas.example.org/work"
    assert [v.outcome for v in service.latest_verdicts(db, "application", application.id)] == ["pass"]
    (mail,) = mails()
    assert mail["to"] == "jonas@example.org"
    assert f"/applications/{application.public_id}" in mail["body"]
    assert "Information technology" in mail["subject"]


def test_the_mail_speaks_the_applicants_language(apply: Apply, mails: Mails) -> None:
    apply(locale="de")
    assert "Computer und Technik" in mails()[0]["subject"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"category": "astrology"}, "category"),
        ({"category": ""}, "category"),
        ({"subcategory": "leaking taps"}, "subcategory"),
        ({"kind": "robot"}, "kind"),
        ({"is_adult": False}, "is_adult"),
        ({"is_adult": "yes"}, "is_adult"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "A\x00B"}, "name"),
        ({"email": "jonas"}, "email"),
        ({"email": "jonas@"}, "email"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "email"),
        ({"experience": " \n "}, "experience"),
        ({"experience": "x" * 4001}, "experience"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "https://user:pw@example.org"}, "link"),
        ({"link": "https://[broken"}, "link"),
        ({"link": "nowhere"}, "link"),
        ({"link": "https://example.org/" + "x" * 300}, "link"),
    ],
)
def test_bad_values_are_refused_with_their_field_and_nothing_is_kept(
    db: Session, apply: Apply, mails: Mails, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(HelpoutsError) as caught:
        apply(**changes)
    assert caught.value.field == field
    assert str(caught.value)
    assert db.scalar(select(func.count(Application.id))) == 0
    assert mails() == []


def test_a_disabled_category_takes_no_applications(db: Session, apply: Apply, operator: Operator) -> None:
    set_enabled(db, "category_it", False, operator())
    with pytest.raises(HelpoutsError) as caught:
        apply()
    assert caught.value.field == "category"


def test_an_unknown_zone_or_language_becomes_the_default(apply: Apply) -> None:
    application = apply(zone="Mars/Olympus", locale="tlh")
    assert (application.zone, application.locale) == ("UTC", "en")


def test_operator_and_applicant_talk(db: Session, apply: Apply, operator: Operator, mails: Mails) -> None:
    application, curator = apply(), operator()
    service.contact(db, application, "Which routers do you know best?", curator)
    assert application.state == "contacted"
    assert "Which routers" in mails()[-1]["body"]
    service.reply(db, application, "Those that blink.")
    talk = service.messages_of(db, application)
    assert [(m.author_id, m.body) for m in talk] == [
        (curator.user_id, "Which routers do you know best?"),
        (None, "Those that blink."),
    ]


def test_an_applicant_cannot_flood_the_operators(db: Session, apply: Apply) -> None:
    application = apply()
    for number in range(5):
        service.reply(db, application, f"Hello {number}")
    with pytest.raises(Conflict):
        service.reply(db, application, "Hello?")


def test_inviting_sends_a_code_and_tells_the_plugins(
    db: Session, apply: Apply, operator: Operator, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr("helpouts.vetting.applications.emit", lambda _db, event, **values: told.append((event, values)))
    application = apply()
    invitation, code = service.invite(db, application, operator(), "We like your street.")
    assert application.state == "invited"
    assert told == [("application_decided", {"application_id": application.id, "decision": "invited"})]
    body = mails()[-1]["body"]
    assert code in body
    assert "We like your street." in body
    assert f"/join?code={code}" in body
    assert code not in str(invitation.__dict__), "the code itself must not be stored"
    assert code.endswith(invitation.hint)


def test_every_step_of_an_operator_is_audited(db: Session, apply: Apply, operator: Operator) -> None:
    application, curator = apply(), operator()
    service.contact(db, application, "Hello.", curator)
    service.invite(db, application, curator)
    service.decline(db, application, "The references did not hold.", curator)
    entries = db.scalars(
        select(AuditEntry).where(AuditEntry.subject_type == "application").order_by(AuditEntry.id)
    ).all()
    assert [entry.action for entry in entries] == ["application.contact", "application.invite", "application.decline"]
    assert {entry.actor_id for entry in entries} == {curator.user_id}
    assert entries[-1].reason == "The references did not hold."


def test_a_failing_rule_can_be_overruled_only_with_a_note(db: Session, apply: Apply, operator: Operator) -> None:
    application = apply(experience="Routers.")
    assert [v.outcome for v in service.latest_verdicts(db, "application", application.id)] == ["fail"]
    assert service.advice_of(db, application)
    with pytest.raises(HelpoutsError) as caught:
        service.invite(db, application, operator())
    assert caught.value.field == "note"
    assert application.state == "received"
    service.invite(db, application, operator(), "I know him from the repair café.")
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "application.invite")).one()
    assert entry.detail["against_rules"] == ["profile"]


def test_inviting_again_replaces_the_code(db: Session, apply: Apply, operator: Operator) -> None:
    application = apply()
    first, _ = service.invite(db, application, operator())
    second, _ = service.invite(db, application, operator())
    assert first.revoked_at is not None
    assert second.revoked_at is None
    assert db.scalar(select(func.count(Invitation.id))) == 2


def test_declining_needs_a_reason_and_mails_it(db: Session, apply: Apply, operator: Operator, mails: Mails) -> None:
    application = apply()
    with pytest.raises(HelpoutsError) as caught:
        service.decline(db, application, "  ", operator())
    assert caught.value.field == "reason"
    assert application.state == "received"
    service.decline(db, application, "We have many router experts already.", operator())
    assert (application.state, application.reason) == ("declined", "We have many router experts already.")
    assert "many router experts" in mails()[-1]["body"]


def test_declining_an_invited_applicant_kills_the_code(db: Session, apply: Apply, operator: Operator) -> None:
    application = apply()
    invitation, _ = service.invite(db, application, operator())
    service.decline(db, application, "The references did not hold.", operator())
    assert invitation.revoked_at is not None


def test_an_appeal_is_decided_by_a_second_operator(db: Session, apply: Apply, operator: Operator) -> None:
    clock.set(NOON)
    application, first, second = apply(), operator(), operator()
    service.decline(db, application, "Too little experience.", first)
    clock.set(NOON + timedelta(days=3))
    service.appeal(db, application, "I forgot to mention twenty years at the exchange.")
    assert application.state == "appealed"
    assert application.due_at == NOON + timedelta(days=8)
    for decide in (
        lambda: service.invite(db, application, first),
        lambda: service.decline(db, application, "Still no.", first),
    ):
        with pytest.raises(Conflict):
            decide()
    assert application.state == "appealed"
    service.invite(db, application, second)
    assert application.state == "invited"


def test_on_a_site_with_one_operator_the_same_one_may_decide_the_appeal(
    db: Session, apply: Apply, operator: Operator
) -> None:
    application, only = apply(), operator()
    service.decline(db, application, "Too little experience.", only)
    service.appeal(db, application, "Please look again.")
    service.invite(db, application, only)
    assert application.state == "invited"


def test_one_appeal_and_no_more(db: Session, apply: Apply, operator: Operator, mails: Mails) -> None:
    application = apply()
    service.decline(db, application, "Too little experience.", operator())
    assert service.may_appeal(db, application)
    service.appeal(db, application, "Please look again.")
    service.decline(db, application, "We both think so.", operator())
    assert not service.may_appeal(db, application)
    assert "A second person has looked" in mails()[-1]["body"]
    with pytest.raises(Conflict):
        service.appeal(db, application, "Once more?")


def test_a_decided_application_takes_no_more_messages(db: Session, apply: Apply, operator: Operator) -> None:
    application = apply()
    service.invite(db, application, operator())
    with pytest.raises(Conflict):
        service.contact(db, application, "Hello?", operator())
    with pytest.raises(Conflict):
        service.reply(db, application, "Hello?")
    with pytest.raises(Conflict):
        service.appeal(db, application, "Hello?")


def test_only_operators_decide(db: Session, apply: Apply) -> None:
    with pytest.raises(NotAllowed):
        service.invite(db, apply(), Actor("customer", None, "jonas@example.org"))
