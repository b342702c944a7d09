"""Connections to the wallet and test top-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import BigInt, UTCDateTime

revision = "payments_wallet_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "payments_wallet_connection",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payer_terms_at", UTCDateTime(), nullable=True),
        sa.Column("payee_terms_at", UTCDateTime(), nullable=True),
        sa.Column("payee_name", sa.String(120), nullable=False),
        sa.Column("payee_country", sa.String(2), nullable=False),
        sa.Column("tax_number", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_payments_wallet_connection")),
    )
    op.create_table(
        "payments_wallet_topup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("journal_id", BigInt, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payments_wallet_topup_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_wallet_topup")),
        sa.UniqueConstraint("token", name=op.f("uq_payments_wallet_topup_token")),
    )
    op.create_index("ix_payments_wallet_topup_user_id", "payments_wallet_topup", ["user_id"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("payments_wallet_topup")
    op.drop_table("payments_wallet_connection")
