"""Reviews by people who had the session."""
