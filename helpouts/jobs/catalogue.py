"""Imports every module of the core that registers job handlers."""

from __future__ import annotations

import helpouts.bookings.service
import helpouts.events
import helpouts.mail.service
import helpouts.payments.service
import helpouts.sessions.service

__all__: list[str] = []
