"""The tools of the room: shared notes, files and snapshots, more minutes, reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db import Json, UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "room_note",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_room_note_session_id_session"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_room_note")),
    )
    op.create_table(
        "room_note_change",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("change", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_room_note_change_session_id_session"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_room_note_change_user_id_user")),
        sa.PrimaryKeyConstraint("session_id", "revision", name=op.f("pk_room_note_change")),
        sa.UniqueConstraint(
            "session_id", "user_id", "client_id", name=op.f("uq_room_note_change_session_id_user_id_client_id")
        ),
    )
    op.create_table(
        "room_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("blob", sa.String(250), nullable=False),
        sa.Column("preview", sa.String(250), nullable=False),
        sa.Column("strokes", Json, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("removed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("size >= 0", name=op.f("ck_room_file_size")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_room_file_session_id_session"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_room_file_user_id_user")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["room_message.id"], name=op.f("fk_room_file_message_id_room_message"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_file")),
        sa.UniqueConstraint("public_id", name=op.f("uq_room_file_public_id")),
        sa.UniqueConstraint("message_id", name=op.f("uq_room_file_message_id")),
        sa.UniqueConstraint(
            "session_id", "user_id", "client_id", name=op.f("uq_room_file_session_id_user_id_client_id")
        ),
    )
    op.create_index(op.f("ix_room_file_session_id"), "room_file", ["session_id"])
    op.create_index("ix_room_file_open", "room_file", ["created_at", "removed_at"])
    op.create_table(
        "session_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=False),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_session_report_session_id_session")),
        sa.ForeignKeyConstraint(["reporter_id"], ["user.id"], name=op.f("fk_session_report_reporter_id_user")),
        sa.ForeignKeyConstraint(["about_id"], ["user.id"], name=op.f("fk_session_report_about_id_user")),
        sa.ForeignKeyConstraint(["resolved_by"], ["user.id"], name=op.f("fk_session_report_resolved_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_report")),
    )
    for column in ("session_id", "about_id", "state"):
        op.create_index(op.f(f"ix_session_report_{column}"), "session_report", [column])
    op.create_table(
        "booking_extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("old_ends_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("minutes > 0 AND amount_minor >= 0", name=op.f("ck_booking_extension_amounts")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_extension_booking_id_booking")),
        sa.ForeignKeyConstraint(["asked_by"], ["user.id"], name=op.f("fk_booking_extension_asked_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_extension")),
    )
    op.create_index(op.f("ix_booking_extension_booking_id"), "booking_extension", ["booking_id"])
    open_only = sa.text("state = 'proposed'")
    op.create_index(
        "uq_booking_extension_open",
        "booking_extension",
        ["booking_id"],
        unique=True,
        sqlite_where=open_only,
        postgresql_where=open_only,
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("booking_extension", "session_report", "room_file", "room_note_change", "room_note"):
        op.drop_table(table)
