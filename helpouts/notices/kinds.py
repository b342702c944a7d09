"""The kinds of notices, in the order in which people see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from helpouts.i18n import lazy_gettext as _l

#: The one way that everybody has; not a channel of a plugin.
MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice.

    :ivar mail: "always": the mail is needed (a confirmation is the record of a contract) and cannot be switched off;
        "choice": it can; "never": there is no mail of this kind.
    :ivar chosen: whether people have switches for it; a test goes wherever they can be reached.
    :ivar roles: who has the switches; empty: everybody.
    """

    name: str
    label: object
    help: object
    mail: Literal["always", "choice", "never"]
    chosen: bool = True
    roles: tuple[str, ...] = ()


_ALL = (
    Kind("booking", _l("Bookings"), _l("Booked, moved or cancelled."), "always"),
    Kind("reminder", _l("Reminders"), _l("Before a session begins."), "choice"),
    Kind("ring", _l("Somebody needs help now"), _l("For experts who have switched on “available now”."), "never"),
    Kind("line", _l("Your place in the line"), _l("It is your turn, or an expert has answered."), "never"),
    Kind("waitlist", _l("Wait-list"), _l("A time has become free."), "always"),
    Kind(
        "alert", _l("New matches"), _l("Something new fits a search that you have saved; mails are set there."), "never"
    ),
    Kind("answer", _l("Answers"), _l("An expert has answered a request that you have posted."), "choice"),
    Kind(
        "support",
        _l("Calls for an operator"),
        _l("Two people in a room need you."),
        "choice",
        roles=("support", "admin"),
    ),
    Kind("test", _l("Tests"), _l("Sent when you ask for it on the page “Notices”."), "never", chosen=False),
)
#: By name.
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def kind_named(name: str) -> Kind:
    """The kind of that name.

    :raises LookupError: lists the names that are known.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise LookupError(f"there is no kind of notice {name!r}; known: {', '.join(KINDS)}") from None
