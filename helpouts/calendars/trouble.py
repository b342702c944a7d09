"""What can go wrong with a calendar elsewhere: a code that is stored, and words for its owner.

Neither holds the address or what was sent to it: these may be secrets.
"""

from __future__ import annotations

from typing import Any

from helpouts.i18n import lazy_gettext as _l

#: code -> what its owner reads; ``%(status)s`` is the HTTP status.
WORDS: dict[str, Any] = {
    "unreachable": _l("The server could not be reached."),
    "refused": _l("The address leads into a private network, which this site does not read."),
    "timeout": _l("The server did not answer in time."),
    "tls": _l("The server's certificate is not valid."),
    "auth": _l("The server did not accept the user name and password."),
    "gone": _l("There is no calendar at this address (the server answered %(status)s)."),
    "status": _l("The server answered with an error (%(status)s)."),
    "redirects": _l("The server sent us from one address to another without end."),
    "too_big": _l("The calendar is larger than 10 MB."),
    "page": _l("There is a web page at this address, not a calendar: look for the calendar's “iCal” address."),
    "broken": _l("The calendar could not be read: it is not a whole iCalendar file."),
    "too_much": _l("The calendar holds more than can be read in the time that it gets."),
    "no_calendars": _l("No calendar was found in this account."),
    "no_caldav": _l("The server does not speak CalDAV at this address."),
    "locked": _l("Its address can no longer be decrypted: connect it again."),
    "internal": _l("We could not read it; the site's operators can see why."),
}


class Trouble(Exception):
    """A calendar could not be read; ``code`` is one of :data:`WORDS`, ``status`` the HTTP status if there was one."""

    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(f"{code} {status}" if status else code)
        self.code = code
        self.status = status


def in_words(code: str, status: int) -> str:
    """What went wrong, for the calendar's owner, in the language at hand."""
    return str(WORDS.get(code, WORDS["internal"])) % {"status": status}
