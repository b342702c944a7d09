"""Broken input for the relay, and what it takes to notice that the relay did not mind."""
