"""Filters of the lists: a choice of values, shown as a row of links or as a select, without a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import has_request_context
from flask_admin.contrib.sqla.filters import BaseSQLAFilter

Options = Sequence[tuple[str, str]]


class Choice(BaseSQLAFilter):  # type: ignore[misc]  # the library has no types for subclasses
    """``column = value`` for one of the values.

    :param choices: called within a request (so that names are in its language) for (value, name) pairs.
    :param condition: makes the SQL condition of a value, where it is not plain equality.
    """

    def __init__(
        self, column: Any, name: object, choices: Callable[[], Options], condition: Callable[[str], Any] | None = None
    ) -> None:
        super().__init__(column, name)
        self._choices = choices
        self._condition = condition

    def get_options(self, view: object) -> list[tuple[str, str]] | None:
        """The pairs; none while the application is being put together."""
        return list(self._choices()) if has_request_context() else None

    def validate(self, value: str) -> bool:
        """Only what is offered."""
        return any(value == offered for offered, _ in self._choices())

    def apply(self, query: Any, value: str, alias: Any = None) -> Any:
        """Narrow the query."""
        return query.filter(self._condition(value) if self._condition else self.get_column(alias) == value)

    def operation(self) -> str:
        """Shown nowhere: there is only one."""
        return "="
