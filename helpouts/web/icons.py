"""The icons of pages: a page has some fifty, and a macro of Jinja takes ten times as long."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask
from markupsafe import Markup


def init_app(app: Flask) -> None:
    """Give templates ``svg_icon``, which ``_macros.html`` passes on as ``ui.icon``."""
    url_for: Any = app.jinja_env.globals["url_for"]

    def svg_icon(name: str, css: str = "", label: str = "") -> Markup:
        """An icon of the sprite; with a label it is an image to screen readers, else nothing."""
        return _svg(url_for("static", filename="img/icons.svg"), name, css, str(label))

    app.jinja_env.globals["svg_icon"] = svg_icon


@lru_cache(maxsize=2048)
def _svg(sprite: str, name: str, css: str, label: str) -> Markup:
    known = Markup(' role="img" aria-label="{}"').format(label) if label else Markup(' aria-hidden="true"')
    return Markup('<svg class="icon {}"{}><use href="{}#{}"></use></svg>').format(css, known, sprite, name)
