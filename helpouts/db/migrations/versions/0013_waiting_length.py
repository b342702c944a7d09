"""The length that somebody on a wait-list wants; none is the listing's main one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("waitlist_entry", sa.Column("length_minutes", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("waitlist_entry") as table:
        table.drop_column("length_minutes")
