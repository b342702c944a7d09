"""PostgreSQL writes terms of listings into their index at once, and looks after the table more often."""

from __future__ import annotations

from alembic import op

from helpouts.finding import models

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Set what new tables have been made with since, and work off the terms that are pending."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in models.POSTGRESQL:
            op.execute(statement)
        op.execute("SELECT gin_clean_pending_list('ix_listing_search_words')")


def downgrade() -> None:
    """Back to PostgreSQL's own."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX ix_listing_search_words RESET (fastupdate)")
        op.execute(
            "ALTER TABLE listing_search RESET (autovacuum_vacuum_scale_factor, "
            "autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor)"
        )
