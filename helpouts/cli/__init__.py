"""The command ``helpouts``: one file per group of commands, put together here."""

from __future__ import annotations

from helpouts.cli.root import main

__all__ = ["main"]
