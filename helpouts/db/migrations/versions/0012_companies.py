"""Invitations into a company."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "member_invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("invited_by", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["expert_id"], ["expert.id"], name=op.f("fk_member_invitation_expert_id_expert"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["invited_by"], ["user.id"], name=op.f("fk_member_invitation_invited_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_member_invitation_token_hash")),
    )
    op.create_index(op.f("ix_member_invitation_expert_id"), "member_invitation", ["expert_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("member_invitation")
