"""The wallet: people keep money on the site, and bookings are paid from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from helpouts.hookspecs import hookimpl
from helpouts.payments import PaymentBackend
from helpouts.plugins import Migrations, PluginBlueprint, Setting, UserData
from helpouts_payments_wallet.backend import WalletBackend
from helpouts_payments_wallet.demo import fill
from helpouts_payments_wallet.models import metadata
from helpouts_payments_wallet.privacy import erase, export
from helpouts_payments_wallet.settings import SETTINGS


@hookimpl
def helpouts_payment_backends() -> Iterable[PaymentBackend]:
    """The backend "wallet"."""
    return (WalletBackend(),)


@hookimpl
def helpouts_settings() -> Iterable[Setting]:
    """Currencies, and the test top-up."""
    return SETTINGS


@hookimpl
def helpouts_blueprints() -> Iterable[PluginBlueprint]:
    """The page "Wallet" below ``/x/payments_wallet/``."""
    from helpouts_payments_wallet.views import make_blueprint

    return (PluginBlueprint(make_blueprint(), "signed_in"),)


@hookimpl
def helpouts_migrations() -> Iterable[Migrations]:
    """The tables ``payments_wallet_*``."""
    return (Migrations(metadata, str(Path(__file__).parent / "migrations")),)


@hookimpl
def helpouts_user_data() -> Iterable[UserData]:
    """Terms that were accepted, details for being paid, top-ups."""
    return (UserData(export, erase),)


@hookimpl
def helpouts_demo(db: Session, customers: Sequence[int], experts: Sequence[int]) -> None:
    """Connected wallets with play money."""
    fill(db, customers, experts)
