"""Telling plugins what has happened: from the outbox, after commit, one plugin at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpouts.jobs.service import enqueue, handler
from helpouts.runtime import runtime_of


def emit(db: Session, event: str, **values: Any) -> None:
    """Promise to call the hook ``helpouts_{event}`` of every enabled plugin once this transaction is committed.

    Each plugin gets a job of its own, so that one that fails neither stops nor repeats the others.

    :param values: what the hook takes, as JSON; instants (aware) may be among them.
    :raises LookupError: when there is no such event.
    """
    registry = runtime_of(db).registry
    written = {name: _written(value) for name, value in values.items()}
    for plugin in registry.listeners(f"helpouts_{event}"):
        enqueue(db, "event.deliver", {"plugin": plugin, "event": event, "values": written}, max_attempts=5)


@handler("event.deliver")
def deliver(db: Session, payload: Mapping[str, Any]) -> None:
    """Call one plugin's implementation; an exception makes the worker try again and is shown in the console."""
    registry = runtime_of(db).registry
    if payload["plugin"] in registry.enabled(db):
        values = {name: _read(value) for name, value in payload["values"].items()}
        registry.tell(payload["plugin"], f"helpouts_{payload['event']}", db, values)


def _written(value: Any) -> Any:
    return {"instant": value.isoformat()} if isinstance(value, datetime) else value


def _read(value: Any) -> Any:
    return datetime.fromisoformat(value["instant"]) if isinstance(value, dict) and "instant" in value else value
