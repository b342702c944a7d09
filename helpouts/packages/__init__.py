"""Packages: several sessions of a listing bought at once for a lower price each, and booked one by one."""
