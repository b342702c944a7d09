"""The lives of a payment, a request for a refund and a payout."""

from __future__ import annotations

from helpouts.states import Machine, change

_ANYBODY = "customer expert operator system"

#: "unknown": a call may or may not have been carried out; a job asks the other side until it knows.
PAYMENT = Machine(
    "payment",
    "created",
    (
        #      event          from                                              to                 who
        change("hold", "created action_required pending unknown", "held", _ANYBODY),
        change("ask", "created pending unknown", "action_required", _ANYBODY),
        change("wait", "created action_required unknown", "pending", _ANYBODY),
        change("decline", "created action_required pending unknown", "declined", _ANYBODY),
        change("fail", "created action_required pending unknown", "failed", _ANYBODY),
        change("lose", "created action_required pending held", "unknown", _ANYBODY),
        change("capture", "held unknown", "captured", _ANYBODY),
        change("void", "created held action_required pending unknown", "voided", _ANYBODY),
        change("refund_part", "captured part_refunded", "part_refunded", "expert operator system"),
        change("refund_all", "captured part_refunded", "refunded", "expert operator system"),
    ),
)

#: What a customer asks for and who answers; an operator has the last word ("denied").
REFUND = Machine(
    "refund",
    "requested",
    (
        change("grant", "requested", "granted", "expert operator"),
        change("grant", "escalated", "granted", "operator"),
        change("refuse", "requested", "refused", "expert operator"),
        change("refuse", "escalated", "denied", "operator"),
        change("escalate", "requested refused", "escalated", "customer system"),
    ),
)

PAYOUT = Machine(
    "payout",
    "requested",
    (
        change("pay", "requested", "paid", "operator system"),
        change("fail", "requested", "failed", "operator system"),
    ),
)
