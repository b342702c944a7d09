"""Which video transport a room opens with: the category's, else the site's, else the configured one."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session as DbSession

from helpouts import site
from helpouts.runtime import runtime_of

log = structlog.get_logger("helpouts.sessions")


def transport_name(db: DbSession, category: str) -> str:
    """The name of the transport for a room of that category that opens now; an open room keeps what it has.

    One whose plugin is disabled or gone is passed over, with a line in the log.  The configured one is the last resort
    and is returned even so: its room works without pictures and says why.
    """
    configured = str(runtime_of(db).config.video_transport)
    chosen = [site.get(db, "video_transports").get(category), site.get(db, "video_transport"), configured]
    there = runtime_of(db).registry.video_transports(db)
    for name in filter(None, chosen):
        if name in there:
            return str(name)
        log.warning("the chosen video transport is not enabled, taking the next", transport=name, category=category)
    return configured


def likely_transports(db: DbSession) -> list[str]:
    """The transports that rooms opening now are carried by: the site's, and those that categories have of their own."""
    there = runtime_of(db).registry.video_transports(db)
    chosen = [site.get(db, "video_transport") or runtime_of(db).config.video_transport]
    chosen += site.get(db, "video_transports").values()
    return [name for name in dict.fromkeys(chosen) if name in there]
