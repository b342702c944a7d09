"""A broken rule never lets anything through, and never blocks it for good."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from helpouts.audit.actor import SYSTEM
from helpouts.catalog.models import Listing
from helpouts.hookspecs import hookimpl
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins.models import PluginFailure
from helpouts.plugins.service import set_enabled
from helpouts.runtime import Runtime
from helpouts.testing.vetting import make_application, make_expert, make_listing
from helpouts.vetting import Finding, VettingRule
from helpouts.vetting.service import judge, latest_verdicts


class _Plugin(ModuleType):
    def __init__(self, answer: Any, judges: tuple[str, ...]) -> None:
        super().__init__("")  # no package, so no catalogues to look for

        def ask(db: Session, _kind: str, _subject: Any) -> Any:
            return answer(db) if callable(answer) else answer

        rule = VettingRule("extra", "Extra", "An extra rule", judges, ask)  # type: ignore[arg-type]
        self.helpouts_vetting_rules = hookimpl(lambda: (rule,), specname="helpouts_vetting_rules")


@pytest.fixture
def site(runtime: Runtime, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session of a site with one more rule, which answers what the test's parameter says."""
    answer, judges = request.param
    runtime.registry.add("vetting_extra", lambda: _Plugin(answer, judges), "test", "1")
    with runtime.database.session(write=True) as db:
        yield db
        db.rollback()


def _raise(_db: Session) -> Finding:
    raise ZeroDivisionError("oops")


def _break_the_transaction(db: Session) -> Finding:
    db.execute(text("SELECT * FROM a_table_that_is_not_there"))
    return Finding("pass")


def outcomes(db: Session, kind: Any, subject: Any) -> dict[str, str]:
    return {verdict.rule: verdict.outcome for verdict in judge(db, kind, subject)}


@pytest.mark.parametrize("site", [(Finding("pass"), ("application",))], indirect=True)
def test_all_enabled_rules_of_the_subject_are_asked(site: Session) -> None:
    assert outcomes(site, "application", make_application(site)) == {"profile": "pass", "extra": "pass"}
    assert outcomes(site, "listing", make_listing(site)) == {"profile": "pass"}


@pytest.mark.parametrize(
    "site",
    [
        (_raise, ("application",)),
        (_break_the_transaction, ("application",)),
        (None, ("application",)),
        (Finding("maybe"), ("application",)),  # type: ignore[arg-type]
        (Finding("pass", evidence={"set": {1, 2}}), ("application",)),
        (Finding("pass", reasons=None), ("application",)),  # type: ignore[arg-type]
    ],
    ids=["raises", "breaks the transaction", "None", "unknown outcome", "evidence not JSON", "no reasons"],
    indirect=True,
)
def test_a_broken_rule_means_a_person_looks_and_the_failure_is_noted(site: Session) -> None:
    application = make_application(site)
    assert outcomes(site, "application", application) == {"profile": "pass", "extra": "person"}
    failure = site.scalars(select(PluginFailure)).one()
    assert failure.plugin == "vetting_extra"
    assert "vetting rule extra" in failure.where
    verdict = latest_verdicts(site, "application", application.id)[0]
    assert verdict.reasons
    assert "error" in verdict.evidence


@pytest.mark.parametrize("site", [(Finding("pass"), ("application",))], indirect=True)
def test_a_required_rule_that_is_off_means_a_person_looks(site: Session) -> None:
    set_enabled(site, "vetting_profile", False, SYSTEM)
    application = make_application(site)
    assert outcomes(site, "application", application) == {"profile": "person", "extra": "pass"}
    assert site.scalars(select(PluginFailure)).all() == []


@pytest.mark.parametrize("site", [(Finding("fail", [_l("Choose one of the two.")]), ("expert",))], indirect=True)
def test_experts_can_be_judged_too(site: Session) -> None:
    assert outcomes(site, "expert", make_expert(site)) == {"extra": "fail"}


@pytest.mark.parametrize("site", [(Finding("pass"), ("application",))], indirect=True)
def test_reasons_are_kept_in_the_applicants_language(site: Session) -> None:
    verdicts = judge(site, "application", make_application(site, locale="de", experience=""))
    profile = next(verdict for verdict in verdicts if verdict.rule == "profile")
    assert "Erfahrung" in profile.reasons[0]


@pytest.mark.parametrize("site", [(Finding("pass"), ("application",))], indirect=True)
def test_the_newest_verdict_of_each_rule_counts(site: Session) -> None:
    application = make_application(site, experience="")
    judge(site, "application", application)
    application.experience = "Eleven years of routers, modems and the cables between them."
    judge(site, "application", application)
    assert [v.outcome for v in latest_verdicts(site, "application", application.id)] == ["pass", "pass"]


@pytest.mark.parametrize("site", [(Finding("pass"), ("listing",))], indirect=True)
def test_a_copy_that_is_not_stored_can_be_judged(site: Session) -> None:
    listing = make_listing(site)
    copy = Listing(id=listing.id, category="it", title="Help", description="Short.", languages=["en"], state="live")
    copy.expert = listing.expert
    assert outcomes(site, "listing", copy)["profile"] == "fail"
    assert copy not in site
