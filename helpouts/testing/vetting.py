# ruff: noqa: D102  # the names of the tests are sentences
"""The conformance suite of a vetting rule, and the applications and listings to judge.

Subclass :class:`VettingRuleContract` in the plugin's own tests, and say what passes and what does not::

    class TestRule(VettingRuleContract):
        plugin = helpouts_vetting_profile
        name = "vetting_profile"

        def good(self, db, subject_type):
            return make_application(db) if subject_type == "application" else make_listing(db)

        def bad(self, db, subject_type): ...
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any, ClassVar, get_args

import pytest
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.catalog.models import Expert, ExpertCategory, ExpertMember, Listing
from helpouts.clock import clock
from helpouts.i18n import LANGUAGES, use_locale
from helpouts.registry import Registry
from helpouts.runtime import Runtime
from helpouts.vetting.models import Application
from helpouts.vetting.rule import Finding, Outcome, SubjectType, VettingRule

TEXT = (
    "For eleven years I have set up home networks. We find the best place for the router, give the network a good "
    "password and check every room together. At the end you can add the next device yourself."
)


def make_application(db: Session, **changes: Any) -> Application:
    """A stored application that nobody has anything against."""
    values: dict[str, Any] = {
        "public_id": secrets.token_urlsafe(16),
        "name": "Jonas Weber",
        "email": "jonas@example.org",
        "category": "it",
        "subcategory": "networks",
        "experience": TEXT,
        "is_adult": True,
        "due_at": clock.now() + timedelta(days=5),
    }
    application = Application(**{**values, **changes})
    db.add(application)
    db.flush()
    return application


def make_expert(db: Session, name: str = "Jonas Weber", *, category: str = "it", **changes: Any) -> Expert:
    """A stored expert with a complete profile and one member."""
    mark = secrets.token_hex(4)
    values: dict[str, Any] = {
        "slug": f"expert-{mark}",
        "name": name,
        "headline": "Home networks that simply work",
        "bio": TEXT,
        "languages": ["en"],
    }
    user = User(email=f"{mark}@example.org", name=name)
    expert = Expert(**{**values, **changes}, members=[ExpertMember(user=user, role="owner")])
    expert.categories.append(ExpertCategory(category=category))
    db.add(expert)
    db.flush()
    return expert


def make_listing(db: Session, expert: Expert | None = None, **changes: Any) -> Listing:
    """A stored listing that nobody has anything against."""
    values: dict[str, Any] = {
        "slug": f"listing-{secrets.token_hex(4)}",
        "category": "it",
        "subcategory": "networks",
        "title": "Set up your wireless router",
        "summary": "A safe network in every room.",
        "description": TEXT,
        "languages": ["en"],
        "price_minor": 2500,
        "state": "in_review",
    }
    listing = Listing(**{**values, **changes}, expert=expert or make_expert(db))
    db.add(listing)
    db.flush()
    return listing


class VettingRuleContract:
    """What every vetting rule must keep."""

    plugin: ClassVar[ModuleType]
    name: ClassVar[str]

    def good(self, db: Session, subject_type: SubjectType) -> Any:
        """A stored subject of this kind that the rule must let pass."""
        raise NotImplementedError

    def bad(self, db: Session, subject_type: SubjectType) -> Any:
        """A stored subject of this kind that the rule must not let pass."""
        raise NotImplementedError

    def rules(self) -> tuple[VettingRule, ...]:
        """The plugin's rules."""
        return tuple(self.plugin.helpouts_vetting_rules())

    def cases(self) -> Iterator[tuple[VettingRule, SubjectType]]:
        """Every rule with every kind of subject that it judges."""
        for rule in self.rules():
            for subject_type in rule.judges:
                yield rule, subject_type

    @pytest.fixture
    def db(self, runtime: Runtime) -> Iterator[Session]:
        """A writing session of a site that has the plugin, rolled back at the end."""
        registry = Registry()
        plugin = registry.add(self.name, lambda: self.plugin, "under test", "0")
        assert plugin.loaded, plugin.error
        with Runtime(runtime.config, runtime.database, registry).database.session(write=True) as session:
            yield session
            session.rollback()

    def test_the_rules_say_what_they_are(self) -> None:
        rules = self.rules()
        assert rules, "helpouts_vetting_rules returned nothing"
        assert len({rule.name for rule in rules}) == len(rules)
        for rule in rules:
            assert rule.name.isidentifier(), rule.name
            assert len(rule.name) <= 60, rule.name
            assert str(rule.title), f"{rule.name} has no title"
            assert str(rule.summary), f"{rule.name} has no summary"
            assert rule.judges, f"{rule.name} judges nothing"
            assert set(rule.judges) <= set(get_args(SubjectType)), rule.judges

    def test_what_is_good_passes(self, db: Session) -> None:
        for rule, subject_type in self.cases():
            finding = rule.judge(db, subject_type, self.good(db, subject_type))
            assert finding.outcome == "pass", f"{rule.name} does not pass a good {subject_type}: {finding}"

    def test_what_is_bad_does_not_pass_and_the_applicant_can_read_why(self, db: Session) -> None:
        for rule, subject_type in self.cases():
            finding = rule.judge(db, subject_type, self.bad(db, subject_type))
            assert finding.outcome in ("fail", "person"), f"{rule.name} passes a bad {subject_type}"
            assert finding.reasons
            assert all(str(reason).strip() for reason in finding.reasons)

    def test_reasons_are_translated(self, db: Session) -> None:
        for rule, subject_type in self.cases():
            finding = rule.judge(db, subject_type, self.bad(db, subject_type))
            for reason in finding.reasons:
                spoken = set()
                for language in LANGUAGES:
                    with use_locale(language):
                        spoken.add(str(reason))
                assert len(spoken) == len(LANGUAGES), f"not translated: {spoken}"

    def test_findings_can_be_stored(self, db: Session) -> None:
        for rule, subject_type in self.cases():
            for subject in (self.good(db, subject_type), self.bad(db, subject_type)):
                finding = rule.judge(db, subject_type, subject)
                assert isinstance(finding, Finding)
                assert finding.outcome in get_args(Outcome)
                json.dumps(dict(finding.evidence))

    def test_judging_reads_only(self, db: Session) -> None:
        for rule, subject_type in self.cases():
            for subject in (self.good(db, subject_type), self.bad(db, subject_type)):
                rule.judge(db, subject_type, subject)
                changed = [*db.new, *db.dirty, *db.deleted]
                assert not changed, f"{rule.name} writes while it judges: {changed}"

    def test_judging_twice_says_the_same(self, db: Session) -> None:
        for rule, subject_type in self.cases():
            subject = self.bad(db, subject_type)
            first, second = (rule.judge(db, subject_type, subject) for _ in range(2))
            assert first.outcome == second.outcome
            assert [str(r) for r in first.reasons] == [str(r) for r in second.reasons]
