"""Alembic's environment, shared by the core and the plugins (see :mod:`helpouts.db.migrate`)."""

from alembic import context

from helpouts.db.migrate import owns, version_table

attributes = context.config.attributes
branch: str = attributes["branch"]

context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    version_table=version_table(branch),
    render_as_batch=False,
    include_name=lambda name, kind, _parents: kind != "table" or owns(branch, name or ""),
)
with context.begin_transaction():
    context.run_migrations()
