"""Pages for people: the app factory, permissions, templates."""
