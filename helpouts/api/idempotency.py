"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header): a request that is sent again has one effect.

The answer is kept in the transaction of the effect, for a day.  A request that was refused is not kept: nothing was
done, and the same key may try again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpouts.api.models import ApiAnswer
from helpouts.clock import clock
from helpouts.errors import Conflict, HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.jobs.service import handler

KEPT = timedelta(hours=24)
_KEY = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,64})"|([A-Za-z0-9_:.-]{1,64})')
Answer = tuple[dict[str, Any], int]
#: Method, path and body.
Asked = tuple[str, str, bytes]


class KeyReused(HelpoutsError):
    """The key belongs to another request."""

    status = 422
    code = "idempotency_key_reused"


def read_key(header: str | None, *, required: bool) -> str:
    """The key in the header, a structured string (RFC 9651) or, as many clients send it, bare; "" when there is none.

    :raises HelpoutsError: it is needed and missing, or no key.
    """
    if not header:
        if required:
            raise HelpoutsError(
                _l("Send an Idempotency-Key: a text that is new for each booking."), field="Idempotency-Key"
            )
        return ""
    found = _KEY.fullmatch(header.strip())
    if found is None:
        raise HelpoutsError(_l("The Idempotency-Key has at most 64 printable characters."), field="Idempotency-Key")
    return found[1] or found[2]


def kept(db: Session, user_id: int, key: str, request: Asked) -> Answer | None:
    """The answer that the same request has had.

    :raises KeyReused: the key came with another request before.
    """
    return _answer(db.get(ApiAnswer, (user_id, key)), request) if key else None


def once(db: Session, user_id: int, key: str, request: Asked, work: Callable[[], Answer]) -> Answer:
    """Do the work and keep its answer, or give the answer that was kept.

    :raises KeyReused: the key came with another request before.
    :raises Conflict: the first request with this key is being worked on at this moment.
    """
    if not key:
        return work()
    found = db.get(ApiAnswer, (user_id, key))
    before = _answer(found, request)
    if before is not None:
        return before
    if found is not None:
        db.delete(found)
        db.flush()
    answer, status = work()
    row = ApiAnswer(user_id=user_id, key=key, fingerprint=_fingerprint(request), status=status, body=answer)
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:
        raise Conflict(_l("The first request with this Idempotency-Key is being worked on. Try again.")) from None
    return answer, status


def _answer(found: ApiAnswer | None, request: Asked) -> Answer | None:
    """What is kept for the key, unless it is too old; it must be the same request's."""
    if found is None or clock.now() - found.created_at >= KEPT:
        return None
    if found.fingerprint != _fingerprint(request):
        raise KeyReused(_l("This Idempotency-Key came with another request before."), field="Idempotency-Key")
    return dict(found.body), found.status


def _fingerprint(request: Asked) -> str:
    method, path, body = request
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


@handler("api.forget", every_seconds=3600)
def forget(db: Session, _payload: Mapping[str, Any]) -> None:
    """Drop answers that nobody asks for again."""
    db.execute(delete(ApiAnswer).where(ApiAnswer.created_at < clock.now() - KEPT))
