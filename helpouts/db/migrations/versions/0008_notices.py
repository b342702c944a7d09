"""Channels and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """People's choices, and what they were reminded of."""
    op.create_table(
        "notice_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notice_choice_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", "channel", name=op.f("pk_notice_choice")),
    )
    op.create_table(
        "reminder_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_reminder_choice_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "minutes", name=op.f("pk_reminder_choice")),
    )
    op.create_table(
        "reminder_mark",
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name=op.f("fk_reminder_mark_booking_id_booking"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_reminder_mark_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", "user_id", "minutes", "starts_at", name=op.f("pk_reminder_mark")),
    )
    op.create_index("ix_reminder_mark_starts_at", "reminder_mark", ["starts_at"])


def downgrade() -> None:
    """Forget them."""
    for table in ("reminder_mark", "reminder_choice", "notice_choice"):
        op.drop_table(table)
