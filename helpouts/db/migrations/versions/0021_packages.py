"""Packages of sessions: offers, and what was bought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db.types import BigInt, UTCDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "package_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("length_minutes", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("price_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("sessions BETWEEN 2 AND 50 AND price_minor > 0", name=op.f("ck_package_offer_amounts")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_package_offer_listing_id_listing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_offer")),
    )
    still_open = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "uq_package_offer_open",
        "package_offer",
        ["listing_id", "length_minutes", "sessions"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "package",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("length_minutes", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("price_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("funding", sa.String(80), nullable=False),
        sa.Column("bought_at", UTCDateTime(), nullable=False),
        sa.Column("idempotency_key", sa.String(80), nullable=False),
        sa.CheckConstraint("sessions > 0 AND price_minor > 0", name=op.f("ck_package_amounts")),
        sa.ForeignKeyConstraint(["offer_id"], ["package_offer.id"], name=op.f("fk_package_offer_id_package_offer")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_package_listing_id_listing")),
        sa.ForeignKeyConstraint(["customer_id"], ["user.id"], name=op.f("fk_package_customer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package")),
        sa.UniqueConstraint("public_id", name=op.f("uq_package_public_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_package_idempotency_key")),
    )
    for column in ("listing_id", "customer_id"):
        op.create_index(op.f(f"ix_package_{column}"), "package", [column])


def downgrade() -> None:
    """Only while nobody has money in a package: the ledger keeps its accounts."""
    op.drop_table("package")
    op.drop_table("package_offer")
