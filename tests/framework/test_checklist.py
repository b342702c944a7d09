"""``helpouts plugins new`` and ``check``: what they write and what they find."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpouts.cli.root import COMMANDS, main
from helpouts.cli.scaffold import FAMILIES, write_skeleton
from helpouts.errors import HelpoutsError
from helpouts.plugins.checklist import check

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the checklist imports is forgotten at the end."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("helpouts_"):
            del sys.modules[name]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_new_plugin_has_nothing_to_mend(tmp_path: Path, family: str) -> None:
    folder = write_skeleton(family, "two_words", tmp_path)
    assert check(folder) == []
    assert not list(folder.rglob("*.in"))
    assert all("$" not in path.read_text("utf-8") for path in folder.rglob("*.*") if path.is_file())


@pytest.mark.parametrize("name", ["", "A", "Two Words", "1st", "x" * 31, "../out"])
def test_a_name_that_does_not_do_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HelpoutsError, match="is not a name"):
        write_skeleton("category", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write_skeleton("category", "music", tmp_path)
    with pytest.raises(HelpoutsError, match="there already"):
        write_skeleton("category", "music", tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("README.md", "`minimum_words`", "words", "does not name the setting `minimum_words`"),
        ("pyproject.toml", "helpouts>=0.1,<0.2", "click", "dependency on helpouts is missing"),
        ("pyproject.toml", ",<0.2", "", "no upper bound"),
        ("pyproject.toml", 'version = "0.1.0"', "", "version is missing"),
        ("pyproject.toml", "[project.entry-points.helpouts]", "[project.entry-points.other]", "no entry point"),
        ("src/helpouts_vetting_strict/__init__.py", "int, 20", "int, '20'", "not of its type int"),
        ("src/helpouts_vetting_strict/__init__.py", "(VettingRule(", "(dict, VettingRule(", "not type"),
    ],
)
def test_a_flaw_is_found(tmp_path: Path, file: str, old: str, new: str, finding: str) -> None:
    folder = write_skeleton("vetting_rule", "strict", tmp_path)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), "utf-8")
    assert any(finding in str(problem.text) for problem in check(folder))


def test_missing_files_and_templates_that_may_clash_are_found(tmp_path: Path) -> None:
    folder = write_skeleton("category", "music", tmp_path)
    (folder / "README.md").unlink()
    (folder / "tests" / "test_category_music.py").unlink()
    (folder / "src" / "helpouts_category_music" / "templates").mkdir()
    (folder / "src" / "helpouts_category_music" / "templates" / "page.html").touch()
    texts = [str(problem.text) for problem in check(folder)]
    assert texts == ["there is no README.md", "there are no tests", "templates/page.html may clash with others"]


@pytest.mark.parametrize("plugin", sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()))
def test_the_plugins_that_come_with_helpouts_have_nothing_to_mend(plugin: str) -> None:
    assert [p for p in check(ROOT / "plugins" / plugin) if p.severity == "error"] == []


def test_the_command_ends_with_1_when_something_must_be_mended(tmp_path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(main, ["plugins", "new", "category", "music", "--into", str(tmp_path)]).exit_code == 0
    folder = tmp_path / "helpouts-category-music"
    assert runner.invoke(main, ["plugins", "check", str(folder)]).exit_code == 0
    (folder / "README.md").unlink()
    assert runner.invoke(main, ["plugins", "check", "--json", str(folder)]).exit_code == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_even_without_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("HELPOUTS_DATA", str(tmp_path))
    answer = CliRunner().invoke(main, [command, "--help"])
    assert answer.exit_code == 0, answer.output
    assert "Usage:" in answer.output
