"""Calendars: invitations, feeds to subscribe to, and busy times read from elsewhere."""
