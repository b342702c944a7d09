"""What a way of reaching people is: the records that plugins offer for the hook ``helpouts_notification_channels``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from helpouts.runtime import Runtime

Effect = Callable[["Session"], None]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one person, already in that person's language.

    :ivar key: the same each time this notice is tried again, and no other notice has it: for dropping doubles.
    :ivar kind: name of a kind in :mod:`helpouts.notices.kinds`.
    :ivar title: one line, at most 120 characters.
    :ivar body: a sentence or two, at most 500 characters, plain text.
    :ivar url: absolute address of the page it is about, on this site.
    :ivar urgent: somebody is waiting at this moment.
    :ivar expires_at: aware UTC; after it the notice is of no use and is not sent.
    :ivar locale: language of the texts, e.g. "de".
    """

    key: str
    kind: str
    title: str
    body: str
    url: str
    urgent: bool
    expires_at: datetime
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class NotificationChannel:
    """A way of reaching people besides mail.

    :param name: an identifier of at most 40 characters, unique on a site; it is kept with people's choices, so it does
        not change.
    :param label: what people read beside the switches, e.g. "This browser".
    :param reachable: ``reachable(db, user_id) -> bool``, whether a notice to this person has anywhere to go; asked
        often, so let it be one look-up.
    :param send: ``send(runtime, user_id, notice)`` hands the notice over.  The worker calls it with no transaction
        open; it may take 30 seconds, and may return a function of the session whose effect is written when it has
        gone well.  What it raises is shown, and the notice is tried again until it expires.
    :param urgent_only: whether only urgent notices go through it (a telephone call, say).
    :param panel: ``panel(db, user_id) -> str``, HTML (a Markup string) for the page "Notices", where a person sets the
        channel up; called within the request.
    :param module: path of an ES module in the plugin's package for that page, e.g. "static/panel.js"; "" for none.
    """

    name: str
    label: object
    reachable: Callable[[Session, int], bool]
    send: Callable[[Runtime, int, Notice], Effect | None]
    urgent_only: bool = False
    panel: Callable[[Session, int], str] | None = None
    module: str = ""
