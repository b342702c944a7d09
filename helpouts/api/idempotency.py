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


def once(db: Session, user_id: int, key: str, request: tuple[str, str, bytes], work: Callable[[], Answer]) -> Answer:
    """Do the work and keep its answer, or give the answer that was kept.

    :param request: method, path and body.
    :raises KeyReused: the key came with another request before.
    :raises Conflict: the first request with this key is being worked on at this moment.
    """
    if not key:
        return work()
    method, path, body = request
    fingerprint = hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()
    before = db.get(ApiAnswer, (user_id, key))
    if before is not None and clock.now() - before.created_at < KEPT:
        if before.fingerprint != fingerprint:
            raise KeyReused(_l("This Idempotency-Key came with another request before."), field="Idempotency-Key")
        return dict(before.body), before.status
    if before is not None:
        db.delete(before)
        db.flush()
    answer, status = work()
    try:
        with db.begin_nested():
            db.add(ApiAnswer(user_id=user_id, key=key, fingerprint=fingerprint, status=status, body=answer))
    except IntegrityError:
        raise Conflict(_l("The first request with this Idempotency-Key is being worked on. Try again.")) from None
    return answer, status


@handler("api.forget", every_seconds=3600)
def forget(db: Session, _payload: Mapping[str, Any]) -> None:
    """Drop answers that nobody asks for again."""
    db.execute(delete(ApiAnswer).where(ApiAnswer.created_at < clock.now() - KEPT))
