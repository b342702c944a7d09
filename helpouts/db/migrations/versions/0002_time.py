"""Seasons, caps, lengths and the people who serve a listing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db.types import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New tables and columns."""
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
