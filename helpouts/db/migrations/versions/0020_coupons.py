"""Coupons of experts, and the bookings that they made cheaper."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import UTCDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "coupon",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("most_uses", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("once_each", sa.Boolean(), nullable=False),
        sa.Column("newcomers_only", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(percent IS NULL) <> (amount_minor IS NULL)", name=op.f("ck_coupon_percent_or_amount")
        ),
        sa.CheckConstraint("percent IS NULL OR percent BETWEEN 1 AND 100", name=op.f("ck_coupon_percent")),
        sa.CheckConstraint("amount_minor IS NULL OR amount_minor > 0", name=op.f("ck_coupon_amount")),
        sa.CheckConstraint(
            "used >= 0 AND (most_uses IS NULL OR used <= most_uses)", name=op.f("ck_coupon_uses")
        ),
        sa.ForeignKeyConstraint(
            ["expert_id"], ["expert.id"], name=op.f("fk_coupon_expert_id_expert"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_coupon_listing_id_listing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon")),
        sa.UniqueConstraint("code", name=op.f("uq_coupon_code")),
    )
    op.create_index(op.f("ix_coupon_expert_id"), "coupon", ["expert_id"])
    op.create_table(
        "coupon_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("coupon_id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("once", sa.Boolean(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("discount_minor", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("returned_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupon.id"], name=op.f("fk_coupon_use_coupon_id_coupon")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_coupon_use_booking_id_booking")),
        sa.ForeignKeyConstraint(["customer_id"], ["user.id"], name=op.f("fk_coupon_use_customer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_use")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_coupon_use_booking_id")),
    )
    for column in ("coupon_id", "customer_id"):
        op.create_index(op.f(f"ix_coupon_use_{column}"), "coupon_use", [column])
    once = sa.text("once AND returned_at IS NULL")
    op.create_index(
        "uq_coupon_use_once",
        "coupon_use",
        ["coupon_id", "customer_id"],
        unique=True,
        sqlite_where=once,
        postgresql_where=once,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("coupon_use")
    op.drop_table("coupon")
