"""Browsers that were signed up, and the site's key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import UTCDateTime

revision = "notify_webpush_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "notify_webpush_subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("endpoint_hash", sa.String(64), nullable=False),
        sa.Column("p256dh", sa.String(100), nullable=False),
        sa.Column("auth", sa.String(40), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("last_key", sa.String(60), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_sent_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_webpush_subscription")),
        sa.UniqueConstraint("endpoint_hash", name=op.f("uq_notify_webpush_subscription_endpoint_hash")),
    )
    op.create_index("ix_notify_webpush_subscription_user_id", "notify_webpush_subscription", ["user_id"])
    op.create_table(
        "notify_webpush_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_webpush_key")),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("notify_webpush_key")
    op.drop_table("notify_webpush_subscription")
