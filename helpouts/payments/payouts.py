"""Paying experts: from payable earnings into a payout, and from there to the bank or back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpouts.audit.actor import Actor
from helpouts.audit.service import record
from helpouts.clock import clock
from helpouts.errors import NotAllowed
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments.backend import IdempotencyMismatch, InvalidRequest
from helpouts.payments.ledger import Line, post
from helpouts.payments.models import Journal, Payout
from helpouts.payments.states import PAYOUT


def request_payout(db: Session, user_id: int, amount_minor: int, currency: str, key: str, actor: Actor) -> Payout:
    """Set payable earnings aside for a transfer to the expert's bank; once per key.

    :raises Declined: for more than is payable; the caller rolls back.
    :raises NotAllowed: for somebody else's earnings.
    """
    if actor.kind == "expert" and actor.user_id != user_id:
        raise NotAllowed(_l("You may not do this."))
    if amount_minor <= 0:
        raise InvalidRequest(_l("The amount must be more than 0."), field="amount")
    idem_key = f"{user_id}:{key}"[:80]
    standing = db.scalar(select(Payout).where(Payout.idem_key == idem_key))
    if standing is not None:
        if (standing.amount_minor, standing.currency) != (amount_minor, currency):
            raise IdempotencyMismatch(_l("This payout was asked for before with another amount."))
        return standing
    payout = Payout(
        user_id=user_id, state=PAYOUT.initial, amount_minor=amount_minor, currency=currency, idem_key=idem_key
    )
    db.add(payout)
    db.flush()
    line = Line(f"earn_avail:{user_id}", f"payout:{payout.id}", amount_minor, currency)
    post(db, f"payout:{payout.id}", "payout", f"payout:{payout.id}", [line])
    return payout


def finish_payout(db: Session, payout: Payout, actor: Actor, *, account: str = "bank:main") -> Payout:
    """The money has left through ``account`` (``bank:{name}`` or ``psp:{backend}``).

    :raises Conflict: when the payout is over already.
    """
    db.refresh(payout, with_for_update=True)
    PAYOUT.apply(db, payout, "pay", actor)
    line = Line(f"payout:{payout.id}", account, payout.amount_minor, payout.currency)
    post(db, f"payout:{payout.id}:paid", "payout_paid", f"payout:{payout.id}", [line])
    payout.closed_at = clock.now()
    record(db, actor, "payout.pay", payout, amount=payout.amount_minor, currency=payout.currency)
    return payout


def fail_payout(db: Session, payout: Payout, reason: str, actor: Actor) -> Payout:
    """The bank refused: the money is payable again.

    :raises Conflict: when the payout is over already.
    """
    db.refresh(payout, with_for_update=True)
    PAYOUT.apply(db, payout, "fail", actor, reason)
    original = db.scalar(select(Journal.id).where(Journal.idem_key == f"payout:{payout.id}"))
    line = Line(f"payout:{payout.id}", f"earn_avail:{payout.user_id}", payout.amount_minor, payout.currency)
    key, ref = f"payout:{payout.id}:failed", f"payout:{payout.id}"
    post(db, key, "payout_failed", ref, [line], reverses_id=original)
    payout.closed_at = clock.now()
    record(db, actor, "payout.fail", payout, reason, amount=payout.amount_minor, currency=payout.currency)
    return payout
