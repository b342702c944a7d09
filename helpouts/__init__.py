"""Helpouts: a self-hosted marketplace for live expert help over video, made of plugins."""

__version__ = "0.1.0"
