"""The look's promises: readable colours in both themes, nothing inline, icons that exist, light pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import helpouts.web

WEB = Path(helpouts.web.__file__).parent
CSS = WEB / "static" / "css"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
TOKENS = (CSS / "tokens.css").read_text()
SPRITE = (WEB / "static" / "img" / "icons.svg").read_text()
ICONS = set(re.findall(r'<symbol id="([a-z-]+)"', SPRITE))

#: (text, background) pairs that carry words.
TEXT_PAIRS = [
    *((text, back) for text in ("text", "muted", "accent", "danger", "success") for back in ("bg", "surface")),
    *((text, "surface-2") for text in ("text", "muted", "accent")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("surface", "danger"),
    ("on-sun", "sun"),
    ("on-hero", "hero"),
    ("on-hero", "hero-soft"),
    ("text", "accent-soft"),
    *((tone, f"{tone}-soft") for tone in ("accent", "danger", "success", "warning", "info")),
    *(("text", f"{tone}-soft") for tone in ("danger", "success", "warning", "info")),
]
#: (edge or mark, background) pairs that must be seen without being text (WCAG 1.4.11).
MARK_PAIRS = [
    ("border-strong", "bg"),
    ("border-strong", "surface"),
    ("focus", "bg"),
    ("focus", "surface"),
    ("focus", "hero"),
    ("star", "surface"),
    ("live", "surface"),
]


def declarations(block: str) -> dict[str, str]:
    """The custom properties declared in a block."""
    return dict(re.findall(r"(--[a-z0-9-]+):\s*([^;]+);", block))


def theme_blocks() -> dict[str, dict[str, str]]:
    """Light tokens and both copies of the dark ones."""
    light = re.search(r"\n:root \{(.*?)\n\}", TOKENS, re.S)
    wish = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\n  \}', TOKENS, re.S)
    choice = re.search(r':root\[data-theme="dark"\] \{(.*?)\n\}', TOKENS, re.S)
    assert light
    assert wish
    assert choice
    return {name: declarations(found[1]) for name, found in (("light", light), ("wish", wish), ("dark", choice))}


THEMES = theme_blocks()


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2, glossary)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(theme: str, first: str, second: str) -> float:
    """Contrast ratio of two colour tokens in a theme."""
    tokens = THEMES["light"] | THEMES[theme]
    one, two = (luminance(tokens[f"--color-{name}"]) for name in (first, second))
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)


def test_both_copies_of_the_dark_tokens_are_equal() -> None:
    assert THEMES["wish"] == THEMES["dark"]


def test_the_dark_theme_changes_every_colour_that_is_not_the_same_by_intent() -> None:
    same_by_intent = {"--color-sun", "--color-on-sun"}
    coloured = {name for name in THEMES["light"] if name.startswith(("--color-", "--tint-"))}
    assert coloured == {name for name in THEMES["dark"] if name.startswith(("--color-", "--tint-"))}
    unchanged = {name for name in coloured if THEMES["light"][name] == THEMES["dark"][name]}
    assert unchanged == same_by_intent


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "back"), TEXT_PAIRS)
def test_text_is_readable(theme: str, text: str, back: str) -> None:
    assert contrast(theme, text, back) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tint", ["plain", "blue", "green", "rose", "ochre"])
def test_text_is_readable_on_every_tint(theme: str, tint: str) -> None:
    tokens = THEMES[theme]
    one, two = luminance(tokens["--color-text"]), luminance(tokens[f"--tint-{tint}"])
    assert (max(one, two) + 0.05) / (min(one, two) + 0.05) >= 7


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("mark", "back"), MARK_PAIRS)
def test_edges_marks_and_focus_can_be_seen(theme: str, mark: str, back: str) -> None:
    assert contrast(theme, mark, back) >= 3


def test_stylesheets_use_only_tokens_that_exist() -> None:
    declared = set().union(*(declarations(sheet.read_text()) for sheet in CSS.glob("*.css")))
    used = set().union(*(re.findall(r"var\((--[a-z0-9-]+)[,)]", sheet.read_text()) for sheet in CSS.glob("*.css")))
    assert used - declared - {"--face"} == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_inline(template: Path) -> None:
    source = template.read_text()
    assert not re.search(r"\sstyle=", source)
    assert not re.search(r"\son[a-z]+=", source)
    scripts = re.findall(r"<script([^>]*)>", source)
    assert all("src=" in tag or "application/" in tag for tag in scripts)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_icons_that_templates_name_exist(template: Path) -> None:
    named = set(re.findall(r'icon\("([a-z-]+)"', template.read_text()))
    assert named <= ICONS


def test_what_every_page_loads_is_light() -> None:
    base = (WEB / "templates" / "helpouts" / "base.html").read_text()
    files = [WEB / "static" / name for name in re.findall(r"filename='((?:css|fonts|js)/[^']+)'", base)]
    assert len(files) >= 6
    assert sum(path.stat().st_size for path in set(files)) < 100_000
