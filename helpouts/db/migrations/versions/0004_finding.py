"""The index that finding reads: a flat row for each listing on sale, its terms, and all known words.

It is empty at first; the worker's job ``finding.due`` fills it within its first minutes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from helpouts.db.types import BigInt
from helpouts.finding import models

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORD = sa.String(80).with_variant(sa.String(80, collation="C"), "postgresql")


def upgrade() -> None:
    """Three tables; the full-text table and its triggers on SQLite, a GIN index on PostgreSQL."""
    op.create_table(
        "listing_search",
        sa.Column("position", BigInt, autoincrement=False, nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("subcategory", sa.String(60), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("stars_below", sa.Integer(), nullable=False),
        sa.Column("traits", sa.Text(), nullable=False),
        sa.Column("notice", sa.Integer(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("free_from", sa.Integer(), nullable=True),
        sa.Column("free_to", sa.Integer(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Integer(), nullable=False),
        sa.Column("known_until", sa.Integer(), nullable=False),
        sa.Column("starts", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_search_listing_id_listing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_listing_search")),
        sa.UniqueConstraint("listing_id", name=op.f("uq_listing_search_listing_id")),
    )
    for columns in (["expert_id"], ["traits"], ["due_at"]):
        op.create_index(op.f(f"ix_listing_search_{columns[0]}"), "listing_search", columns)
    for first in ("category", "price", "stars_below"):
        op.create_index(f"ix_listing_search_{first}_position", "listing_search", [first, "position"])
    if op.get_bind().dialect.name == "sqlite":
        for statement in models.SQLITE:
            op.execute(statement)
    else:
        op.create_index("ix_listing_search_words", "listing_search", ["words"], postgresql_using="gin")
        for statement in models.POSTGRESQL:
            op.execute(statement)
    op.create_table(
        "search_word",
        sa.Column("word", WORD, nullable=False),
        sa.Column("backwards", WORD, nullable=False),
        sa.Column("shown", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
    )
    op.create_index(op.f("ix_search_word_backwards"), "search_word", ["backwards"])
    op.create_table(
        "search_gram",
        sa.Column("gram", sa.String(3), nullable=False),
        sa.Column("word", WORD, nullable=False),
        sa.PrimaryKeyConstraint("gram", "word", name=op.f("pk_search_gram")),
    )
