"""Seasons, caps, lengths and the people who serve a listing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db.types import Json, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New tables and columns."""
    _schedules()
    _listings()
    _touched()


def _schedules() -> None:
    for name in ("most_sessions_day", "most_sessions_week", "most_minutes_day", "most_minutes_week"):
        op.add_column("schedule", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("schedule", sa.Column("holiday_country", sa.String(length=2), nullable=False, server_default=""))
    op.add_column("schedule", sa.Column("holiday_subdivision", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("schedule", sa.Column("holidays_worked", Json, nullable=False, server_default="[]"))
    op.add_column("schedule", sa.Column("time_off", Json, nullable=False, server_default="[]"))


def _listings() -> None:
    op.add_column("listing", sa.Column("more_lengths", Json, nullable=False, server_default="[]"))
    op.add_column("listing", sa.Column("serving", sa.String(length=12), nullable=False, server_default="any"))
    op.add_column("listing", sa.Column("host_choice", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "listing_member",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_member_listing_id_listing"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_listing_member_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("listing_id", "user_id", name=op.f("pk_listing_member")),
    )
    op.create_index(op.f("ix_listing_member_user_id"), "listing_member", ["user_id"])


def _touched() -> None:
    op.create_table(
        "touched_time",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("touched_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_touched_time_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_touched_time")),
    )
    op.create_index(op.f("ix_touched_time_touched_at"), "touched_time", ["touched_at"])
