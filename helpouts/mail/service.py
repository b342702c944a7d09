"""Mail: rendered in the receiver's language when it is promised, sent by a job, exactly what was promised."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from sqlalchemy.orm import Session

from helpouts import formatting, i18n
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.jobs.models import Job
from helpouts.jobs.service import enqueue, handler
from helpouts.runtime import Runtime, runtime_of


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; ``mime`` may carry parameters, e.g. "text/calendar; method=REQUEST"."""

    name: str
    mime: str
    content: bytes


@cache
def environment() -> Environment:
    """The mail templates: ``NAME.txt`` (first line: the subject)."""
    env = Environment(
        loader=PackageLoader("helpouts.mail", "templates"),
        autoescape=select_autoescape(["html"]),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.install_gettext_callables(i18n.gettext, i18n.plural, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    env.filters.update(formatting.FILTERS)
    return env


def queue_mail(
    db: Session,
    to: str,
    template: str,
    locale: str,
    zone: str = "UTC",
    *,
    attachments: Sequence[Attachment] = (),
    dedupe_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    expires_at: datetime | None = None,
    **context: Any,
) -> Job:
    """Promise a mail in the caller's transaction.

    :param template: name of the template without ``.txt``; its first line is the subject.
    :param expires_at: from when on the mail is of no use and is not sent any more (a reminder: the start).
    :param headers: more header fields, such as List-Unsubscribe (RFC 8058).
    """
    config = runtime_of(db).config
    with i18n.use_locale(locale, zone):
        text = (
            environment()
            .get_template(f"{template}.txt")
            .render(
                site_name=config.site_name,
                public_url=config.public_url.rstrip("/"),
                expires_at=expires_at,
                **context,
            )
        )
    subject, _, body = text.partition("\n")
    payload = {
        "to": to,
        "subject": " ".join(subject.split()),
        "body": body.strip() + "\n",
        "template": template,
        "attachments": [
            {"name": a.name, "mime": a.mime, "content": base64.b64encode(a.content).decode()} for a in attachments
        ],
        "headers": dict(headers or {}),
        "expires_at": expires_at.isoformat() if expires_at else "",
    }
    return enqueue(db, "mail.send", payload, dedupe_key=dedupe_key)


def compose(config: Any, job_id: int, payload: Mapping[str, Any]) -> EmailMessage:
    """The message of a job; its Message-ID is made from the job, so that a second try is the same mail (RFC 5322)."""
    name, address = parseaddr(config.mail_from)
    extra = payload.get("headers", {})
    # Addresses in header fields must stay whole: folded at 78 characters they would become encoded words.
    message = EmailMessage(policy.default.clone(max_line_length=998) if extra else None)
    message["Subject"] = payload["subject"]
    message["From"] = str(Address(name, addr_spec=address))
    message["To"] = payload["to"]
    message["Date"] = formatdate()
    domain = address.rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<job-{job_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    for header, value in extra.items():
        message[header] = value
    message.set_content(payload["body"])
    for item in payload["attachments"]:
        kind, _, parameters = item["mime"].partition(";")
        main, _, sub = kind.strip().partition("/")
        content = base64.b64decode(item["content"])
        given = dict(p.strip().split("=", 1) for p in parameters.split(";") if "=" in p)
        if kind.strip() == "text/calendar" and "method" in given:
            _invite(message, content, given["method"], item["name"])
        else:
            message.add_attachment(content, maintype=main, subtype=sub, filename=item["name"], params=given)
    return message


def _invite(message: EmailMessage, content: bytes, method: str, name: str) -> None:
    """An iTIP message as mail programs want it (RFC 6047 section 2.4).

    The alternative to the text is what Gmail, Outlook and Apple Mail show with buttons and put into the calendar; the
    file, under another type so that nobody counts the meeting twice, is for all other programs.
    """
    # As bytes: as a text it would lose its CRLF line ends (RFC 5545 section 3.1).
    named = {"method": method, "charset": "utf-8"}
    message.add_alternative(content, maintype="text", subtype="calendar", params=named)
    message.add_attachment(content, maintype="application", subtype="ics", filename=name)


@handler("mail.send", outside=True)
def send(runtime: Runtime, job_id: int, payload: Mapping[str, Any]) -> Callable[[Session], None] | None:
    """Hand the mail to the SMTP server, or put it into the folder ``mail`` when none is configured."""
    config = runtime.config
    until = payload.get("expires_at")
    if until and clock.now() >= datetime.fromisoformat(until):
        return None
    message = compose(config, job_id, payload)
    if not config.mail_host:
        folder = config.data_dir / "mail"
        folder.mkdir(exist_ok=True)
        (folder / f"{job_id:06d}.eml").write_bytes(bytes(message))
        return None
    context = ssl.create_default_context()
    make = smtplib.SMTP_SSL if config.mail_tls == "tls" else smtplib.SMTP
    extra: dict[str, Any] = {"context": context} if config.mail_tls == "tls" else {}
    with make(config.mail_host, config.mail_port, timeout=20, **extra) as server:
        if config.mail_tls == "starttls":
            server.starttls(context=context)
        if config.mail_user:
            server.login(config.mail_user, config.mail_password)
        refused = server.send_message(message)
        if refused:
            raise HelpoutsError(f"the mail server refused the receiver: {refused}")
    return None
