"""Calendars: feeds and busy times from elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from helpouts.db.types import BigInt, Json, UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Feeds, sources, busy times."""
    op.create_table('calendar_feed',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('hide_names', sa.Boolean(), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_calendar_feed_user_id_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_calendar_feed')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_calendar_feed_token_hash'))
    )
    op.create_table('calendar_source',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=32), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('collections', Json, nullable=True),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('next_at', UTCDateTime(), nullable=True),
    sa.Column('tried_at', UTCDateTime(), nullable=True),
    sa.Column('read_at', UTCDateTime(), nullable=True),
    sa.Column('expanded_at', UTCDateTime(), nullable=True),
    sa.Column('zone', sa.String(length=64), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('trouble', sa.String(length=24), nullable=False),
    sa.Column('trouble_status', sa.Integer(), nullable=False),
    sa.Column('warned_at', UTCDateTime(), nullable=True),
    sa.Column('etag', sa.String(length=400), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('events', sa.Integer(), nullable=False),
    sa.Column('left_out', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('ical', 'caldav')", name=op.f('ck_calendar_source_kind')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_calendar_source_user_id_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_source')),
    sa.UniqueConstraint('public_id', name=op.f('uq_calendar_source_public_id'))
    )
    op.create_index('ix_calendar_source_due', 'calendar_source', ['next_at'], unique=False)
    op.create_index(op.f('ix_calendar_source_user_id'), 'calendar_source', ['user_id'], unique=False)
    op.create_table('busy_time',
    sa.Column('id', BigInt, nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('source_id', sa.Integer(), nullable=False),
    sa.Column('starts_at', UTCDateTime(), nullable=False),
    sa.Column('ends_at', UTCDateTime(), nullable=False),
    sa.CheckConstraint('starts_at < ends_at', name=op.f('ck_busy_time_order')),
    sa.ForeignKeyConstraint(['source_id'], ['calendar_source.id'], name=op.f('fk_busy_time_source_id_calendar_source'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_busy_time_user_id_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_busy_time'))
    )
    op.create_index(op.f('ix_busy_time_source_id'), 'busy_time', ['source_id'], unique=False)
    op.create_index('ix_busy_time_user', 'busy_time', ['user_id', 'ends_at', 'starts_at'], unique=False)
