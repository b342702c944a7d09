"""The operators' console of Helpouts: an add-on that mounts Flask-Admin at ``/console``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpouts.hookspecs import hookimpl

if TYPE_CHECKING:
    from flask import Flask


@hookimpl
def helpouts_web_app(app: Flask) -> None:
    """Mount the console.  Flask-Admin is imported only here, so that workers need not load it."""
    from helpouts_admin.mount import mount

    mount(app)
