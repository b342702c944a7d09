"""Imports every model of the core, so that :attr:`Base.metadata` is whole."""

from __future__ import annotations

import helpouts.accounts.models
import helpouts.api.models
import helpouts.audit.models
import helpouts.bookings.guard
import helpouts.bookings.models
import helpouts.bookings.waiting_models
import helpouts.calendars.models
import helpouts.catalog.models
import helpouts.companies.models
import helpouts.coupons.models
import helpouts.finding.models
import helpouts.instant.models
import helpouts.jobs.models
import helpouts.notices.models
import helpouts.packages.models
import helpouts.payments.models
import helpouts.plugins.models
import helpouts.reviews.models
import helpouts.scheduling.models
import helpouts.sessions.feed
import helpouts.sessions.models
import helpouts.sessions.recording_models
import helpouts.sessions.support_models
import helpouts.sessions.tool_models
import helpouts.vetting.models
import helpouts.wishes.models  # noqa: F401  # all of these are imported for their tables
from helpouts.db.base import Base

metadata = Base.metadata

__all__ = ["metadata"]
