"""What the docs take from the code: run this file to write it anew, the tests compare."""

from __future__ import annotations

import re
from pathlib import Path

from helpouts.config import OPTIONS
from helpouts.testing.hookdocs import reference

ROOT = Path(__file__).parents[2]
SAMPLE = re.compile(r"<!-- from (\S+) -->\n```(\w+)\n.*?```", re.DOTALL)
TABLE = re.compile(r"<!-- options -->\n.*?<!-- end of options -->", re.DOTALL)


def options_table() -> str:
    """The options of the configuration as a Markdown table."""
    lines = ["<!-- options -->", "| option | kind | default | |", "|---|---|---|---|"]
    for option in OPTIONS:
        default = ", ".join(option.default) if option.type is list else str(option.default)
        bounds = " to ".join(str(bound) for bound in (option.minimum, option.maximum) if bound is not None)
        extra = f" One of {', '.join(option.choices)}." if option.choices else f" {bounds}." if bounds else ""
        secret = " Secret." if option.secret else ""
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{option.key}` | {option.type.__name__} | {shown} | {option.help}{extra}{secret} |")
    return "\n".join([*lines, "<!-- end of options -->"])


def with_samples(text: str) -> str:
    """The document with every sample as its file is now."""
    return SAMPLE.sub(
        lambda found: f"<!-- from {found[1]} -->\n```{found[2]}\n{(ROOT / found[1]).read_text('utf-8')}```", text
    )


def documents() -> dict[Path, str]:
    """Every document as it should be."""
    made = {}
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        made[path] = TABLE.sub(lambda _: options_table(), with_samples(path.read_text("utf-8")))
    made[ROOT / "docs" / "hooks.md"] = reference()
    return made


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, "utf-8")
