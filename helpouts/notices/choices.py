"""Who wants which notices through which channel; without a word from somebody, all of them through all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.accounts.models import User
from helpouts.notices.kinds import KINDS, MAIL, Kind, kind_named
from helpouts.notices.models import NoticeChoice


def wants(db: Session, user_id: int, kind: str, channel: str = MAIL) -> bool:
    """Whether somebody wants notices of a kind through a channel ("mail", or a plugin's).

    Ask it before you promise a mail of a kind that people can switch off.

    :raises LookupError: when there is no such kind.
    """
    known = kind_named(kind)
    if channel == MAIL and known.mail != "choice":
        return known.mail == "always"
    row = db.get(NoticeChoice, (user_id, kind, channel))
    return row is None or row.wanted


def offered(user: User) -> list[Kind]:
    """The kinds for which somebody has switches."""
    return [kind for kind in KINDS.values() if kind.chosen and (not kind.roles or user.has_any_role(*kind.roles))]


def unwanted(db: Session, user_id: int) -> set[tuple[str, str]]:
    """The (kind, channel) pairs that somebody has switched off."""
    rows = select(NoticeChoice.kind, NoticeChoice.channel)
    found = db.execute(rows.where(NoticeChoice.user_id == user_id, NoticeChoice.wanted.is_(False)))
    return {(kind, channel) for kind, channel in found}


def choose(db: Session, user_id: int, channels: Iterable[str], wanted: Mapping[tuple[str, str], bool]) -> None:
    """Keep somebody's switches: for each kind and each of ``channels``, what ``wanted`` says (off, if it says nothing).

    Switches that do not exist (the mail of a booking cannot be switched off) or are not offered to somebody are left
    out.  Channels that are not named keep theirs as they were.
    """
    before = unwanted(db, user_id)
    kinds = offered(db.get_one(User, user_id))
    for channel in channels:
        for kind in kinds:
            if channel == MAIL and kind.mail != "choice":
                continue
            pair = (kind.name, channel)
            want = wanted.get(pair, False)
            if want != (pair not in before):
                db.merge(NoticeChoice(user_id=user_id, kind=kind.name, channel=channel, wanted=want))
    db.flush()
