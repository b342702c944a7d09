"""Telling people: which notices there are, through which channels they go, and who wants what."""

from helpouts.notices.channel import Notice, NotificationChannel

__all__ = ["Notice", "NotificationChannel"]
