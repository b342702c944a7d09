"""How many bytes a request may bring: little, but for the routes that declare more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import flask

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "helpouts_takes"


def takes(most: int) -> Callable[[F], F]:
    """Declare that the body of a view's request may have so many bytes (else the application's limit holds)."""

    def mark(view: F) -> F:
        setattr(view, _MARK, most)
        return view

    return mark


class Request(flask.Request):
    """Knows the limit of its view from the beginning: already the check against forged requests looks at the body."""

    @property
    def max_content_length(self) -> int | None:
        """Bytes."""
        view = flask.current_app.view_functions.get(self.endpoint or "") if flask.current_app else None
        return getattr(view, _MARK, None) or super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        flask.Request.max_content_length.fset(self, value)  # type: ignore[attr-defined]  # a property at run time
