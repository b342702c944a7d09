"""What the commands share: the runtime, and exit codes (0 good, 1 a check failed, 2 wrong use)."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import click

from helpouts.audit.actor import Actor
from helpouts.config import load_config
from helpouts.errors import HelpoutsError
from helpouts.logs import set_up_logs
from helpouts.runtime import Runtime, make_runtime

#: Who acts when a command changes something.
COMMAND_LINE = Actor("operator", None, "command line")


def pass_runtime(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command a :class:`Runtime` as its first argument; expected errors become a message and exit code 1."""

    def run(*args: Any, **kwargs: Any) -> Any:
        overrides: dict[str, Any] = click.get_current_context().ensure_object(dict)
        runtime = None
        set_up_logs("command")
        try:
            runtime = make_runtime(load_config(**overrides))
            return function(runtime, *args, **kwargs)
        except HelpoutsError as error:
            raise click.ClickException(str(error)) from error
        finally:
            if runtime is not None:
                runtime.database.dispose()

    return update_wrapper(run, function)


__all__ = ["COMMAND_LINE", "Runtime", "pass_runtime"]
