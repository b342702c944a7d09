"""Measurements: each module prints a table beside a peer or a limit of the same run."""
