"""Events of the live processes know their transaction, and PostgreSQL tells those who listen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db.xact import current_xact
from helpouts.sessions import feed

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, its index and, on PostgreSQL, the trigger."""
    op.add_column("live_event", sa.Column("xact", sa.BigInteger(), server_default=current_xact(), nullable=False))
    op.create_index(op.f("ix_live_event_xact"), "live_event", ["xact"])
    if op.get_bind().dialect.name == "postgresql":
        for statement in feed.NOTIFY_POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    """Take them away again."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER live_event_notify ON live_event")
        op.execute("DROP FUNCTION live_event_notify")
    op.drop_index(op.f("ix_live_event_xact"), "live_event")
    op.drop_column("live_event", "xact")
