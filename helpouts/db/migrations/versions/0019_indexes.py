"""Only the indexes that somebody reads: each costs every booking a page, and the others wait for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UNREAD = (
    ("booking", "listing_id"),
    ("booking", "series_id"),
    ("ledger_account", "kind"),
    ("journal", "kind"),
    ("journal", "created_at"),
    ("payment", "state"),
    ("payment", "payer_id"),
    ("payment", "payee_id"),
    ("payment", "ref"),
    ("payment_operation", "state"),
    ("session", "state"),
    ("job", "kind"),
)
#: Name, table, column, and which rows are looked for, on SQLite and on PostgreSQL.
PARTIAL = (
    ("ix_booking_of_series", "booking", "series_id", "series_id IS NOT NULL", "series_id IS NOT NULL"),
    ("ix_payment_outside", "payment", "ref", "holds_money IS 0", "holds_money IS false"),
    ("ix_session_open", "session", "opened_at", "state = 'open'", "state = 'open'"),
)


def upgrade() -> None:
    """Drop what is not read, or not of all rows; index the rows that are looked for."""
    for table, column in UNREAD:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    for name, table, column, sqlite, postgresql in PARTIAL:
        op.create_index(name, table, [column], sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql))


def downgrade() -> None:
    """Index all rows again."""
    for name, table, *_rest in PARTIAL:
        op.drop_index(name, table_name=table)
    for table, column in UNREAD:
        op.create_index(f"ix_{table}_{column}", table, [column])
