"""Jobs of the worker, and among them the mails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.models import Job
from helpouts_admin import columns, services, words
from helpouts_admin.actions import Action
from helpouts_admin.filters import Choice
from helpouts_admin.forms import OptionalReasonForm
from helpouts_admin.views.base import Records

MAIL = "mail.send"


def _retry(db: Session, job: Job, form: Any, actor: Actor) -> None:
    services.retry_job(db, job, form.reason.data or "", actor)


RETRY = Action(
    "retry",
    _l("Try again"),
    _retry,
    OptionalReasonForm,
    when=lambda job: job.state == "dead",
    explain=_l("The worker takes it up again at once, with all its tries."),
    done=_l("The worker will try it again."),
    primary=True,
)


class JobsView(Records):
    """What the worker has to do, does and has done."""

    shows = Job
    endpoint_name = "console_jobs"
    intro = _l("What was promised in a change and is done after it by the worker.")
    column_list = ("kind", "state", "run_at", "attempts", "last_error")
    column_details_list = (
        "kind",
        "state",
        "created_at",
        "run_at",
        "lease_until",
        "attempts",
        "max_attempts",
        "finished_at",
        "serial_key",
        "dedupe_key",
        "last_error",
    )
    column_searchable_list = ("kind", "last_error")
    column_sortable_list = ("run_at", "kind")
    column_default_sort = ("id", True)
    column_filters = (Choice(Job.state, _l("State"), lambda: words.options("ready", "leased", "done", "dead")),)
    column_labels = {
        "kind": _l("Kind"),
        "state": _l("State"),
        "run_at": _l("Not before"),
        "attempts": _l("Tries"),
        "last_error": _l("Last error"),
        "created_at": _l("Promised"),
        "lease_until": _l("Taken until"),
        "max_attempts": _l("Most tries"),
        "finished_at": _l("Finished"),
        "serial_key": _l("One after the other"),
        "dedupe_key": _l("Only once"),
    }
    column_formatters = {"state": columns.state, "run_at": columns.instant, "last_error": columns.short()}
    column_formatters_detail = dict.fromkeys(
        ("created_at", "run_at", "lease_until", "finished_at"), columns.instant
    ) | {"state": columns.state}

    def get_query(self) -> Any:
        """Everything but mails, which have a page of their own (and hold personal words)."""
        return super().get_query().filter(Job.kind != MAIL)

    def title_of(self, record: Job) -> str:
        """Kind and number."""
        return f"{record.kind} {record.id}"

    def actions(self, record: Job) -> Sequence[Action]:
        """A job that was given up can be tried again."""
        return (RETRY,)


#: Codes and link tokens let their holder in (reset a password, become an expert): operators do not get to read them.
_KEYS = re.compile(r"HELP(?:-[0-9A-Z]{4}){4}|(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]{24,}")


def without_keys(text: str) -> str:
    """A mail's text with everything that opens a door made unreadable."""
    return _KEYS.sub(lambda found: f"{found[0][:4]}…", text)


def _mail(key: str) -> columns.Formatter:
    def show(view: Any, context: Any, record: Job, name: str) -> str:
        return without_keys(str(record.payload.get(key, "")))

    return show


def _to(view: Any, context: Any, record: Job, name: str) -> str:
    return str(record.payload.get("to", ""))


class MailsView(Records):
    """Mails that were sent, wait or could not be sent."""

    shows = Job
    endpoint_name = "console_mails"
    intro = _l("What people get. Codes and the keys in links are hidden here.")
    column_list = ("subject", "to", "state", "created_at", "last_error")
    column_details_list = ("subject", "to", "state", "created_at", "finished_at", "attempts", "last_error", "body")
    column_default_sort = ("id", True)
    column_filters = (Choice(Job.state, _l("State"), lambda: words.options("ready", "leased", "done", "dead")),)
    column_labels = {
        "subject": _l("Subject"),
        "to": _l("To"),
        "state": _l("State"),
        "created_at": _l("Promised"),
        "finished_at": _l("Sent"),
        "attempts": _l("Tries"),
        "last_error": _l("Last error"),
        "body": _l("Text"),
    }
    column_formatters = {
        "subject": _mail("subject"),
        "to": _to,
        "state": columns.state,
        "created_at": columns.instant,
        "last_error": columns.short(),
    }
    column_formatters_detail = {
        "subject": _mail("subject"),
        "to": _to,
        "body": _mail("body"),
        "state": columns.state,
        "created_at": columns.instant,
        "finished_at": columns.instant,
    }

    def init_search(self) -> bool:
        """Address and subject are inside the job's payload, so :meth:`_apply_search` looks there."""
        return True

    def _apply_search(self, query: Any, count_query: Any, joins: Any, count_joins: Any, search: str) -> Any:
        for word in search.split():
            query = query.filter(
                or_(*(Job.payload[key].as_string().icontains(word, autoescape=True) for key in ("to", "subject")))
            )
        return query, count_query, joins, count_joins

    def search_placeholder(self) -> None:
        """None."""

    def get_query(self) -> Any:
        """Only mails."""
        return super().get_query().filter(Job.kind == MAIL)

    def title_of(self, record: Job) -> str:
        """The subject."""
        return str(record.payload.get("subject", record.id))

    def actions(self, record: Job) -> Sequence[Action]:
        """A mail that was given up can be sent again."""
        return (RETRY,)
