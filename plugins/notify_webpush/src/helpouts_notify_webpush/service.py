"""Browsers that people sign up for notices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import lazy_gettext as _l
from helpouts.plugins.service import read_settings
from helpouts_notify_webpush.delivery import check_endpoint
from helpouts_notify_webpush.encoding import to_bytes
from helpouts_notify_webpush.models import Subscription

PLUGIN = "notify_webpush"
#: Browsers that one person may have; the oldest goes when another one comes.
MOST = 12


def reachable(db: Session, user_id: int) -> bool:
    """Whether somebody has a browser that takes notices."""
    return bool(db.scalar(select(exists().where(Subscription.user_id == user_id))))


def browsers_of(db: Session, user_id: int) -> Sequence[Subscription]:
    """Somebody's browsers, the newest first."""
    mine = select(Subscription).where(Subscription.user_id == user_id)
    return db.scalars(mine.order_by(Subscription.id.desc())).all()


def subscribe(db: Session, user_id: int, endpoint: str, p256dh: str, auth: str, label: str = "") -> Subscription:
    """Keep a browser's subscription for somebody; one that is known is brought up to date, and changes its owner.

    (Who signs in on a shared computer and wants notices there gets their own, not those of the person before.)

    :raises HelpoutsError: for an address or a key that no browser would give.
    """
    check_endpoint(endpoint, allow_local=read_settings(db, PLUGIN)["allow_local"])
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), to_bytes(p256dh))
        good = len(to_bytes(auth)) == 16
    except ValueError:
        good = False
    if not good:
        raise HelpoutsError(_l("The keys of this browser cannot be used."), field="keys")
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    row = db.scalar(select(Subscription).where(Subscription.endpoint_hash == digest))
    if row is None:
        row = Subscription(endpoint=endpoint, endpoint_hash=digest)
        db.add(row)
    row.user_id, row.p256dh, row.auth, row.label = user_id, p256dh.rstrip("="), auth.rstrip("="), label[:80]
    row.created_at = clock.now()
    db.flush()
    for surplus in browsers_of(db, user_id)[MOST:]:
        db.delete(surplus)
    db.flush()
    return row


def unsubscribe(db: Session, user_id: int, *, number: int = 0, endpoint: str = "") -> bool:
    """Forget one of somebody's browsers, by its number or its endpoint; tells whether there was one."""
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    which = Subscription.endpoint_hash == digest if endpoint else Subscription.id == number
    row = db.scalar(select(Subscription).where(Subscription.user_id == user_id, which))
    if row is None:
        return False
    db.delete(row)
    db.flush()
    return True
