"""Changing bookings: series, moves, the wait-list, and a guard for people who are host here and customer there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.bookings import guard
from helpouts.db.types import Json, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New tables, two columns and two triggers; reminders are no jobs of their booking any more."""
    _series()
    _moves()
    _waitlist()
    for statement in guard.PARTS_SQLITE if op.get_bind().dialect.name == "sqlite" else guard.PARTS_POSTGRESQL:
        op.execute(statement)
    op.execute("DELETE FROM job WHERE kind = 'booking.remind'")


def _series() -> None:
    op.create_table(
        "booking_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_booking_series_listing_id_listing")),
        sa.ForeignKeyConstraint(["customer_id"], ["user.id"], name=op.f("fk_booking_series_customer_id_user")),
        sa.ForeignKeyConstraint(["host_id"], ["user.id"], name=op.f("fk_booking_series_host_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_series")),
        sa.UniqueConstraint("public_id", name=op.f("uq_booking_series_public_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_booking_series_idempotency_key")),
    )
    op.create_index(op.f("ix_booking_series_customer_id"), "booking_series", ["customer_id"])
    # Not through Alembic's batch mode, which makes the table anew and forgets its triggers.
    op.execute(
        "ALTER TABLE booking ADD COLUMN series_id INTEGER "
        "CONSTRAINT fk_booking_series_id_booking_series REFERENCES booking_series (id)"
    )
    op.create_index(op.f("ix_booking_series_id"), "booking", ["series_id"])


def _moves() -> None:
    op.add_column("booking", sa.Column("moves", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "booking_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("old_starts_at", UTCDateTime(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("starts_at <> old_starts_at", name=op.f("ck_booking_move_elsewhere")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_move_booking_id_booking")),
        sa.ForeignKeyConstraint(["asked_by"], ["user.id"], name=op.f("fk_booking_move_asked_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_move")),
    )
    op.create_index(op.f("ix_booking_move_booking_id"), "booking_move", ["booking_id"])
    _one_open("uq_booking_move_open", "booking_move", ["booking_id"], "state = 'proposed'")


def _waitlist() -> None:
    op.create_table(
        "waitlist_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("weekdays", Json, nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=False),
        sa.Column("until_minute", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("answers", Json, nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "from_minute >= 0 AND from_minute < until_minute AND until_minute <= 1440",
            name=op.f("ck_waitlist_entry_minutes"),
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_waitlist_entry_listing_id_listing")),
        sa.ForeignKeyConstraint(["customer_id"], ["user.id"], name=op.f("fk_waitlist_entry_customer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_entry")),
        sa.UniqueConstraint("public_id", name=op.f("uq_waitlist_entry_public_id")),
    )
    op.create_index(op.f("ix_waitlist_entry_listing_id"), "waitlist_entry", ["listing_id"])
    op.create_index(op.f("ix_waitlist_entry_customer_id"), "waitlist_entry", ["customer_id"])
    _one_open(
        "uq_waitlist_entry_open", "waitlist_entry", ["listing_id", "customer_id"], "state IN ('waiting','offered')"
    )
    op.create_table(
        "waitlist_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["waitlist_entry.id"],
            name=op.f("fk_waitlist_offer_entry_id_waitlist_entry"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_waitlist_offer_booking_id_booking")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_offer")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_waitlist_offer_booking_id")),
    )
    op.create_index(op.f("ix_waitlist_offer_entry_id"), "waitlist_offer", ["entry_id"])


def _one_open(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
