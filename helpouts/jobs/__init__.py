"""The job table: outbox and queue in one."""
