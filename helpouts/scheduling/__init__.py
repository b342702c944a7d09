"""Hours, free slots and calendars."""
