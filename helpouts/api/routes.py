"""The routes of the API, each declared once: the declaration makes the view and its part of the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from helpouts.api.schemas import Schema

Scope = Literal["", "read", "book"]
View = Callable[..., "tuple[dict[str, Any], int]"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query."""

    name: str
    schema: Schema
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    :ivar scope: what a token must be good for; "" is for everybody, with or without a token.
    :ivar answer: (status, name of its shape) when all is well.
    :ivar errors: further statuses that it may answer with.
    :ivar prepare: for one that writes: what is looked at before, in a transaction that reads; the view gets its result.
    :ivar key: whether an Idempotency-Key is "required", "optional", or "" for none.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    scope: Scope
    answer: tuple[int, str]
    view: View
    query: Sequence[Parameter] = ()
    body: str = ""
    errors: Sequence[int] = ()
    prepare: Callable[..., Any] | None = None
    key: Literal["", "optional", "required"] = ""

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def path_parameters(self) -> list[str]:
        """Names of the parameters in the path."""
        return re.findall(r"\{(\w+)\}", self.path)


#: All operations, in the order of their declaration.
ROUTES: list[Route] = []


def route(method: Literal["GET", "POST"], path: str, **more: Any) -> Callable[[View], View]:
    """Declare the decorated function as an operation; the first line of its docstring is the summary."""

    def declare(view: View) -> View:
        summary = (view.__doc__ or "").partition("\n")[0]
        ROUTES.append(Route(name=view.__name__, method=method, path=path, summary=summary, view=view, **more))
        return view

    return declare
