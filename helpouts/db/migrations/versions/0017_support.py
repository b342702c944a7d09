"""Operators whom one of the two asks into the room, and lines of the chat that are not just said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import UTCDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, one column."""
    op.add_column("room_message", sa.Column("kind", sa.String(12), server_default="", nullable=False))
    op.create_table(
        "support_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("after_seq", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("taken_at", UTCDateTime(), nullable=True),
        sa.Column("entered_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_support_request_session_id_session"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["user.id"], name=op.f("fk_support_request_asked_by_user")),
        sa.ForeignKeyConstraint(["operator_id"], ["user.id"], name=op.f("fk_support_request_operator_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_request")),
    )
    for column in ("session_id", "asked_by", "state"):
        op.create_index(op.f(f"ix_support_request_{column}"), "support_request", [column])
    standing = sa.text("state IN ('open','taken')")
    op.create_index(
        "uq_support_request_standing",
        "support_request",
        ["session_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("support_request")
    op.drop_column("room_message", "kind")
