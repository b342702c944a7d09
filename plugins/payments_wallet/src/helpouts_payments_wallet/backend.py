"""The backend "wallet": money that is on the site already, moved inside the booking's own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpouts.db.prepared import Prepared
from helpouts.i18n import lazy_gettext as _l
from helpouts.payments import (
    Capabilities,
    Declined,
    InvalidRequest,
    Money,
    NotSupported,
    Outcome,
    PayeeStatus,
    PaymentContext,
    PaymentView,
    Snapshot,
    StartRequest,
    WebhookEvent,
    WebhookRejected,
)
from helpouts.payments.models import Payment
from helpouts_payments_wallet.models import Connection

HOME = "/x/payments_wallet/"
#: Asked in every booking.
_CONNECTION = Prepared(
    select(Connection.payer_terms_at, Connection.payee_terms_at, Connection.payee_name, Connection.payee_country).where(
        Connection.user_id == bindparam("user")
    )
)
_CODES = "AUD BRL CAD CHF CZK DKK EUR GBP HUF INR JPY KWD MXN NOK NZD PLN SEK SGD TND USD ZAR"
#: Currencies that a wallet can hold; which of them it does is a setting.
CURRENCIES = frozenset(_CODES.split())


class WalletBackend:
    """Pays from ``wallet:{user}``.  Its calls only check: the core posts, in the same transaction."""

    name = "wallet"
    title: object = _l("Wallet")
    summary: object = _l("Pay from the money in your wallet on this site.")
    capabilities = Capabilities(currencies=CURRENCIES, in_transaction=True, raise_hold=True)

    def start(self, ctx: PaymentContext, request: StartRequest, idempotency_key: str) -> Outcome:
        """Agree to a hold; whether the wallet holds enough is seen when the core posts it.

        :raises Declined: when the wallet is not connected.
        """
        if request.amount.currency not in ctx.settings["currencies"]:
            raise Declined(_l("Wallets on this site do not hold %(currency)s.", currency=request.amount.currency))
        if not self.payer_status(ctx, request.payer_id).ready:
            raise Declined(_l("Set up your wallet before you book."))
        return Outcome("SUCCEEDED", ref=f"wallet-{request.payment_id}")

    def raise_hold(self, ctx: PaymentContext, payment: PaymentView, amount: Money, key: str) -> Outcome:
        """Agree to hold ``amount`` more; the same.

        :raises InvalidRequest: when the hold was taken already.
        """
        if amount.currency != payment.amount.currency or payment.captured_minor:
            raise InvalidRequest(_l("This payment was settled already, or is in another currency."))
        return Outcome("SUCCEEDED", ref=payment.ref)

    def resume(self, ctx: PaymentContext, payment: PaymentView, params: Mapping[str, str], key: str) -> Outcome:
        """There is nothing to come back from."""
        raise NotSupported(_l("A wallet payment has no further step."))

    def capture(self, ctx: PaymentContext, payment: PaymentView, amount: Money, final: bool, key: str) -> Outcome:
        """Agree to take ``amount`` out of the hold.

        :raises InvalidRequest: above the hold, in another currency, or when it was taken already.
        """
        if amount.currency != payment.amount.currency or payment.captured_minor:
            raise InvalidRequest(_l("This payment was settled already, or is in another currency."))
        if not 0 <= amount.minor <= payment.amount.minor:
            raise InvalidRequest(_l("This is more than was held."))
        return Outcome("SUCCEEDED", ref=payment.ref)

    def void(self, ctx: PaymentContext, payment: PaymentView, key: str) -> Outcome:
        """Agree to give the hold back.

        :raises InvalidRequest: when it was taken already.
        """
        if payment.captured_minor:
            raise InvalidRequest(_l("This payment was settled already, or is in another currency."))
        return Outcome("SUCCEEDED", ref=payment.ref)

    def refund(self, ctx: PaymentContext, payment: PaymentView, amount: Money, reason: str, key: str) -> Outcome:
        """Agree to give ``amount`` back.

        :raises InvalidRequest: above what was taken and not yet given back.
        """
        left = payment.captured_minor - payment.refunded_minor
        if amount.currency != payment.amount.currency or not 0 < amount.minor <= left:
            raise InvalidRequest(_l("This is more than can be given back."))
        return Outcome("SUCCEEDED", ref=payment.ref)

    def fetch(self, ctx: PaymentContext, payment: PaymentView) -> Snapshot:
        """The payment as the core has it: there is no other side."""
        row = _db(ctx).scalar(select(Payment).where(Payment.public_id == payment.payment_id))
        if row is None:
            return Snapshot("UNKNOWN", 0, 0, 0)
        held = row.amount_minor if row.state == "held" else 0
        return Snapshot("SUCCEEDED", held, row.captured_minor, row.refunded_minor, row.ref)

    def parse_webhook(self, ctx: PaymentContext, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """Nobody may call us."""
        raise WebhookRejected("the wallet takes no webhooks")

    def funding_account(self, payer_id: int) -> str:
        """The payer's wallet."""
        return f"wallet:{payer_id}"

    def payer_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Ready once the wallet's terms are accepted."""
        connection = _CONNECTION.first(_db(ctx), {"user": user_id})
        if connection is None or connection.payer_terms_at is None:
            return PayeeStatus(ready=False, needs=(_l("Accept the terms of the wallet."),))
        return PayeeStatus(ready=True)

    def payee_status(self, ctx: PaymentContext, user_id: int) -> PayeeStatus:
        """Ready once the terms for experts are accepted and it is known whom to pay."""
        connection = _CONNECTION.first(_db(ctx), {"user": user_id})
        needs: list[object] = []
        if connection is None or connection.payee_terms_at is None:
            needs.append(_l("Accept the terms for being paid."))
        if connection is None or not connection.payee_name or not connection.payee_country:
            needs.append(_l("Say who is paid, and in which country."))
        return PayeeStatus(ready=not needs, needs=tuple(needs))

    def setup_url(self, user_id: int) -> str:
        """The page "Wallet"."""
        return HOME

    def describe(self, payment: PaymentView) -> Sequence[tuple[object, str]]:
        """For the operator."""
        return ((_l("Wallet account"), self.funding_account(payment.payer_id)), (_l("Reference"), payment.ref))


def _db(ctx: PaymentContext) -> Session:
    if ctx.db is None:
        raise InvalidRequest("the wallet works inside a transaction: hand it the session in the context")
    return ctx.db
