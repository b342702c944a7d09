"""Asking the vetting rules: each on its own, none of them trusted to work."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.i18n import DEFAULT_LOCALE, use_locale
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins.service import note_failure
from helpouts.runtime import runtime_of
from helpouts.vetting.models import Verdict
from helpouts.vetting.rule import Finding, Outcome, SubjectType, VettingRule

#: What an applicant reads while a rule cannot say anything.
_LOOKING = _l("One of our checks is done by a person; this takes a little longer.")


def judge(db: Session, subject_type: SubjectType, subject: Any) -> list[Verdict]:
    """Ask every enabled rule that judges this kind of subject, and write down what they say.

    A rule that the subject's category requires but that is not there, one that raises, and one that answers nonsense
    count as "person".  Reasons are kept in the language of the applicant or expert.

    :param subject: an application, listing or expert that has an id; it is not changed.
    """
    enabled = runtime_of(db).registry.vetting_rules(db)
    rules = {name: rule for name, rule in enabled.items() if subject_type in rule.judges}
    missing = [name for name in _required(db, subject_type, subject) if name not in enabled]
    verdicts = []
    with use_locale(_language(subject_type, subject)):
        for name in dict.fromkeys((*missing, *rules)):
            finding = (
                _ask(db, rules[name], subject_type, subject)
                if name in rules
                else Finding("person", (_LOOKING,), {"missing": name})
            )
            verdict = Verdict(
                subject_type=subject_type,
                subject_id=subject.id,
                rule=name,
                outcome=finding.outcome,
                reasons=[str(reason) for reason in finding.reasons],
                evidence=dict(finding.evidence),
            )
            db.add(verdict)
            verdicts.append(verdict)
    db.flush()
    return verdicts


def latest_verdicts(db: Session, subject_type: SubjectType, subject_id: int) -> list[Verdict]:
    """The newest verdict of each rule, in the order of the rules' names."""
    rows = db.scalars(
        select(Verdict)
        .where(Verdict.subject_type == subject_type, Verdict.subject_id == subject_id)
        .order_by(Verdict.id)
    )
    newest = {verdict.rule: verdict for verdict in rows}
    return [newest[name] for name in sorted(newest)]


def _ask(db: Session, rule: VettingRule, subject_type: SubjectType, subject: Any) -> Finding:
    """One rule's answer, in a savepoint: a statement that fails in the rule must not spoil the transaction."""
    try:
        with db.begin_nested():
            finding = rule.judge(db, subject_type, subject)
        if not isinstance(finding, Finding) or finding.outcome not in get_args(Outcome):
            raise TypeError(f"the rule {rule.name!r} answered {finding!r} instead of a Finding")
        json.dumps([str(reason) for reason in finding.reasons])
        json.dumps(dict(finding.evidence))
    except Exception as error:  # a broken rule never lets anything through, and never blocks it for good
        plugin = runtime_of(db).registry.plugin_of("helpouts_vetting_rules", rule.name) or rule.name
        note_failure(db, plugin, f"vetting rule {rule.name}, {subject_type} {subject.id}", error)
        return Finding("person", (_LOOKING,), {"error": f"{type(error).__name__}: {error}"})
    return finding


def _required(db: Session, subject_type: SubjectType, subject: Any) -> Iterable[str]:
    """Names of the rules that the subject's categories require."""
    slugs = [held.category for held in subject.categories] if subject_type == "expert" else [subject.category]
    registry = runtime_of(db).registry
    for slug in slugs:
        yield from registry.category(slug).vetting_rules


def _language(subject_type: SubjectType, subject: Any) -> str:
    if subject_type == "application":
        return str(subject.locale)
    expert = subject if subject_type == "expert" else subject.expert
    owner = next((member.user for member in expert.members if member.role == "owner"), None)
    return owner.locale if owner else DEFAULT_LOCALE
