"""People: sign-up, sign-in, roles, server-side sessions."""
