"""The front page, the language switch and the pages about the site itself."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("web", __name__)
