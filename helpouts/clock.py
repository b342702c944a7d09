"""The one clock.  Nothing else in the code base asks the system for the time of day.

Tests turn it with :func:`Clock.set` and :func:`Clock.advance`; instants are aware UTC datetimes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the instant; can be frozen and moved by tests and by the demo."""

    def __init__(self) -> None:
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """The present instant, aware, UTC, to the microsecond."""
        return self._frozen if self._frozen is not None else datetime.now(UTC)

    def set(self, instant: datetime | None) -> None:
        """Freeze the clock at ``instant`` (aware), or let it run again with ``None``."""
        if instant is not None and instant.tzinfo is None:
            raise ValueError("the clock takes aware instants: give the datetime a time zone")
        self._frozen = instant.astimezone(UTC) if instant is not None else None

    def advance(self, step: timedelta) -> datetime:
        """Move a frozen clock by ``step`` (freezing it first if it runs); returns the new instant."""
        self._frozen = self.now() + step
        return self._frozen


clock = Clock()
