"""Errors that people are expected to meet.

Every expected error is a :class:`HelpoutsError` whose message says what to do.  Anything else that is
raised is a bug and shows as one (a traceback in the log, a plain page with an id for the visitor).
"""

from __future__ import annotations


class HelpoutsError(Exception):
    """Base of all expected errors.

    :param message: translatable text for the person who caused it (see :mod:`helpouts.i18n`).
    :param field: name of the form field the message belongs to, if there is one.
    """

    status = 400
    code = "invalid"

    def __init__(self, message: object, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class NotFound(HelpoutsError):
    """The thing does not exist, or not for this person."""

    status = 404
    code = "not_found"


class NotAllowed(HelpoutsError):
    """The actor may not do this."""

    status = 403
    code = "not_allowed"


class Conflict(HelpoutsError):
    """Somebody else was first, or the state has moved on: reload and choose again."""

    status = 409
    code = "conflict"


class TooFast(HelpoutsError):
    """More at once than anybody needs; it was not looked at."""

    status = 429
    code = "too_fast"


class Unavailable(HelpoutsError):
    """A part that is needed is switched off or does not answer; nothing was changed."""

    status = 503
    code = "unavailable"


class ConfigurationError(HelpoutsError):
    """The operator's configuration is wrong; the message names the setting and the fix."""

    status = 500
    code = "configuration"
