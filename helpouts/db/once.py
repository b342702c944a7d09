"""Reading something once in a transaction: what others commit meanwhile belongs to the next one."""

from __future__ import annotations

from collections.abc import Callable
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


def _kept(db: Session) -> dict[Any, Any]:
    transaction = db.get_transaction() or db.begin()
    found: tuple[object, dict[Any, Any]] | None = db.info.get(_KEY)
    if found is None or found[0] is not transaction:
        found = db.info[_KEY] = (transaction, {})
    return found[1]
