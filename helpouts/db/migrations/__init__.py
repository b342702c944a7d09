"""Alembic revisions of the core."""
