"""The newest reviews without a look at all of them."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index."""
    op.create_index("ix_review_newest", "review", ["state", "created_at", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_review_newest", table_name="review")
