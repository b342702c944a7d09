"""Flask-Security's mails as ours: promised in the request's transaction, in the language of their reader."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import after_this_request, current_app
from flask_security.mail_util import EmailValidateException, MailUtil
from flask_security.utils import _view_commit
from sqlalchemy.orm import Session

from helpouts import formatting, i18n
from helpouts.accounts.models import User
from helpouts.accounts.service import normalize_email
from helpouts.errors import HelpoutsError
from helpouts.mail.service import queue_mail
from helpouts.web.db import current_db, current_runtime

CONFIRM_WITHIN = timedelta(days=2)
RESET_WITHIN = timedelta(hours=1)

#: Flask-Security's template: ours, the name of the link in the context, how long that link is good.
_MAILS: dict[str, tuple[str, str, timedelta | None]] = {
    "security/email/welcome": ("accounts_confirm", "confirmation_link", CONFIRM_WITHIN),
    "security/email/confirmation_instructions": ("accounts_confirm", "confirmation_link", CONFIRM_WITHIN),
    "security/email/welcome_existing": ("accounts_existing", "confirmation_link", CONFIRM_WITHIN),
    "security/email/reset_instructions": ("accounts_reset", "reset_link", RESET_WITHIN),
    "security/email/reset_notice": ("accounts_password_changed", "", None),
    "security/email/change_notice": ("accounts_password_changed", "", None),
}


class QueuedMail(MailUtil):
    """Checks addresses and promises mails."""

    def normalize(self, email: str) -> str:
        """The address as we keep it."""
        try:
            return normalize_email(email)
        except HelpoutsError as error:
            raise EmailValidateException(str(error)) from None

    def validate(self, email: str) -> str:
        """The same: nobody is asked whether the address exists, the mail will tell."""
        return self.normalize(email)

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: Any,
        sender: Any,
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        """Promise the mail; it is sent when the request's transaction commits, which this asks for."""
        ours, link_name, within = _MAILS[template]
        user: User = context["user"]
        link = public_link(context.get(link_name) or "") if link_name else ""
        with i18n.use_locale(user.locale):
            lasts = formatting.in_words(within) if within else ""
        notify(current_db(), user, ours, link=link, within=lasts)
        after_this_request(_view_commit)


def notify(db: Session, user: User, template: str, **context: Any) -> None:
    """Promise a mail about the account to its holder."""
    queue_mail(db, user.email, template, user.locale, user.zone or "UTC", name=user.name, email=user.email, **context)


def public_link(url: str) -> str:
    """The same page at the site's public address, whatever host the request claimed to be for."""
    if not url:
        return ""
    base = str(current_runtime().config.public_url).rstrip("/")
    root = str(current_app.config.get("APPLICATION_ROOT") or "/").rstrip("/")
    path = urlsplit(url).path
    return base + path.removeprefix(root) if root else base + path
