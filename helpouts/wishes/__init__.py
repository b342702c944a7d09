"""What people wish for when a search does not help at once: saved searches with alerts, and posted requests."""
