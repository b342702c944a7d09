"""The hook reference, made from the specs: ``python -m helpouts.testing.hookdocs > docs/hooks.md``.

A test fails when docs/hooks.md is stale.  The records are documented from their own docstrings and fields.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

from helpouts import hookspecs
from helpouts.plugins.checks import RECORDS

HEAD = """# Hooks

Made by `python -m helpouts.testing.hookdocs > docs/hooks.md` from `helpouts/hookspecs.py` and the records that the
hooks return; do not edit. How to write a plugin: [plugins.md](plugins.md).

A plugin is a module that implements any of these functions with `@hookimpl` from `helpouts.hookspecs`. Parameters may
be left out.
"""


def reference() -> str:
    """The whole of docs/hooks.md."""
    return "\n".join((HEAD, *_hooks(), "# Records", "", *_records())).rstrip() + "\n"


def _hooks() -> Iterator[str]:
    for spec in hookspecs.SPECS:
        yield f"## {spec.__name__}\n"
        yield _text(spec) + "\n"
        for name, function in vars(spec).items():
            if name.startswith("helpouts_"):
                yield f"### `{name}{_signature(function)}`\n"
                yield _text(function) + "\n"


def _records() -> Iterator[str]:
    for kind in dict.fromkeys(RECORDS.values()):
        hooks = ", ".join(f"`{hook}`" for hook, record in RECORDS.items() if record is kind)
        yield f"## {kind.__name__}\n"
        yield f"From `{kind.__module__}`; returned by {hooks}.\n"
        yield _text(kind) + "\n"
        if dataclasses.is_dataclass(kind):
            yield "| field | type | default |"
            yield "|---|---|---|"
            for field in dataclasses.fields(kind):
                kind_of = str(field.type).replace("|", "\\|")
                yield f"| `{field.name}` | `{kind_of}` | {_default(field)} |"
            yield ""
        else:
            for name, member in vars(kind).items():
                if inspect.isfunction(member) and not name.startswith("_"):
                    text = _text(member).replace("\n- ", " Raises ")
                    yield f"- `{name}{_signature(member)}`: {' '.join(text.split())}"
            yield ""


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`"
    factory: Any = field.default_factory
    return "" if factory is dataclasses.MISSING else f"`{factory.__name__}()`"


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    shown = [f"{p}".replace("'", "") for name, p in signature.parameters.items() if name != "self"]
    return f"({', '.join(shown)}) -> {str(signature.return_annotation).replace(chr(39), '')}"


def _text(thing: Any) -> str:
    """The docstring as Markdown: code marks and roles as code, fields as a list."""
    text = re.sub(r":\w+:`~?\.?([^`]+)`", r"`\1`", inspect.getdoc(thing) or "").replace("``", "`")
    return re.sub(r"^:(?:param|raises|ivar) (\w+):", r"- `\1`:", text, flags=re.MULTILINE)


if __name__ == "__main__":
    sys.stdout.write(reference())
