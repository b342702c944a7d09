"""Health for machines: ``/healthz`` (the process lives), ``/readyz`` (it can serve), ``/metrics`` (Prometheus)."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from helpouts.web.db import current_db
from helpouts.web.permissions import requires

bp = Blueprint("probes", __name__)


@bp.get("/healthz")
@requires("public", while_closed=True)
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@requires("public", while_closed=True)
def readyz() -> ResponseReturnValue:
    """The database answers."""
    try:
        current_db().execute(text("SELECT 1"))
    except Exception:
        return {"status": "database unreachable"}, 503
    return {"status": "ready"}


@bp.get("/metrics")
@requires("public", while_closed=True)
def metrics() -> ResponseReturnValue:
    """Counters of this process; keep it from the public in the reverse proxy."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
