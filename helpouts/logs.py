"""Logs: one line of key=value pairs per event, on standard error."""

from __future__ import annotations

import logging
import sys

import structlog


def log_to_stderr() -> None:
    """Keep standard output for what a command answers; the rest of structlog stays as it is."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr), cache_logger_on_first_use=False)


def set_up_logs(process: str) -> None:
    """Configure structlog and the standard library's logging alike; ``process`` is on every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "process", "event"], bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format=f'process={process} logger=%(name)s event="%(message)s"'
    )
