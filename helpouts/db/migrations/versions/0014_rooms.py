"""What operators see of rooms, and why they ended one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import UTCDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, one column."""
    op.add_column("session", sa.Column("end_note", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "presence_quality",
        sa.Column("presence_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("grade", sa.String(8), nullable=False),
        sa.Column("rtt_ms", sa.Integer(), nullable=True),
        sa.Column("loss_permille", sa.Integer(), nullable=False),
        sa.Column("send_kbps", sa.Integer(), nullable=False),
        sa.Column("receive_kbps", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(8), nullable=False),
        sa.ForeignKeyConstraint(
            ["presence_id"], ["presence.id"], name=op.f("fk_presence_quality_presence_id_presence"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("presence_id", name=op.f("pk_presence_quality")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("presence_quality")
    op.drop_column("session", "end_note")
