"""Messages between people outside the room."""
