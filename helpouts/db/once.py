"""Reading something once in a transaction: what others commit meanwhile belongs to the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")
_KEY = "helpouts.once"


def once(db: Session, key: object, load: Callable[[], T]) -> T:
    """What ``load`` gives, called at the first use of ``key`` in the transaction; not to be changed."""
    kept = _kept(db)
    if key not in kept:
        kept[key] = load()
    found: T = kept[key]
    return found


def forget(db: Session, key: object) -> None:
    """Have ``key`` loaded again at its next use: this transaction has changed it."""
    _kept(db).pop(key, None)


def known(db: Session) -> Mapping[Any, Any]:
    """All that the transaction has read once, for one that follows at once (:func:`carry`)."""
    return dict(_kept(db))


def carry(db: Session, found: Mapping[Any, Any]) -> None:
    """Take over what a transaction of a moment ago has read; what this one has read itself stays."""
    kept = _kept(db)
    for key, value in found.items():
        kept.setdefault(key, value)


def _kept(db: Session) -> dict[Any, Any]:
    transaction = db.get_transaction() or db.begin()
    found: tuple[object, dict[Any, Any]] | None = db.info.get(_KEY)
    if found is None or found[0] is not transaction:
        found = db.info[_KEY] = (transaction, {})
    return found[1]
