"""Bookings: holds, confirmation, cancellation, and the guard against selling a slot twice."""
