"""Believable content for a first look."""
