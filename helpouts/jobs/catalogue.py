"""Imports every module of the core that registers job handlers; a worker without one would not know its jobs."""

from __future__ import annotations

import helpouts.accounts.service
import helpouts.api.idempotency
import helpouts.bookings.announce
import helpouts.bookings.lapse
import helpouts.bookings.waiting
import helpouts.calendars.jobs
import helpouts.events
import helpouts.finding.upkeep
import helpouts.instant.driving
import helpouts.jobs.tidy
import helpouts.mail.service
import helpouts.notices.reminders
import helpouts.notices.service
import helpouts.packages.returning
import helpouts.payments.service
import helpouts.payments.verify
import helpouts.scheduling.changes
import helpouts.sessions.files
import helpouts.sessions.recording_jobs
import helpouts.sessions.recording_upkeep
import helpouts.sessions.service
import helpouts.wishes.digest
import helpouts.wishes.matching
import helpouts.wishes.requests  # noqa: F401  # all are imported for their handlers

__all__: list[str] = []
