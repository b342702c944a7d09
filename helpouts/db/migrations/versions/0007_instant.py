"""Help right now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db.types import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('looking','ringing','waiting')")
_RINGING = sa.text("state = 'ringing'")


def upgrade() -> None:
    """The switch, the heartbeat, requests and offers."""
    op.create_table(
        "available_switch",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("last_rung_at", UTCDateTime(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_available_switch_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_available_switch")),
    )
    op.create_index("ix_available_switch_on", "available_switch", ["is_on", "user_id"])
    op.create_table(
        "device_presence",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(80), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_device_presence_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "node", name=op.f("pk_device_presence")),
    )
    op.create_table(
        "desk_ticket",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_desk_ticket_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desk_ticket")),
    )
    op.create_index(op.f("ix_desk_ticket_expires_at"), "desk_ticket", ["expires_at"])
    _requests()
    _offers()


def _requests() -> None:
    op.create_table(
        "instant_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("subcategory", sa.String(60), nullable=False),
        sa.Column("most_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("others", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("heard_until", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("most_minor >= 0", name=op.f("ck_instant_request_most")),
        sa.ForeignKeyConstraint(["customer_id"], ["user.id"], name=op.f("fk_instant_request_customer_id_user")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_instant_request_booking_id_booking")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_instant_request_listing_id_listing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instant_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_instant_request_public_id")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_instant_request_booking_id")),
    )
    op.create_index(
        "uq_instant_request_open",
        "instant_request",
        ["customer_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_instant_request_line", "instant_request", ["state", "asked_at"])


def _offers() -> None:
    op.create_table(
        "instant_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("rung_at", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["instant_request.id"],
            name=op.f("fk_instant_offer_request_id_instant_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_instant_offer_user_id_user")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_instant_offer_listing_id_listing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instant_offer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_instant_offer_public_id")),
    )
    for name, columns in (("uq_instant_offer_person", ["user_id"]), ("uq_instant_offer_request", ["request_id"])):
        op.create_index(name, "instant_offer", columns, unique=True, sqlite_where=_RINGING, postgresql_where=_RINGING)
    op.create_index("ix_instant_offer_asked", "instant_offer", ["request_id", "user_id"])
    op.create_index("ix_instant_offer_state", "instant_offer", ["state", "until"])
