"""The docs say what the code does: what is taken from it is compared, what they name exists."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import click
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sources import ROOT, documents

from helpouts.cli.root import COMMANDS, main

DOCUMENTS = documents()
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
OWN = ("helpouts/", "plugins/", "admin/", "tests/", "docs/", "deploy/", "benchmarks/", "changelog/")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_taken_from_the_code_is_as_the_code_is_now(name: str) -> None:
    fresh = DOCUMENTS[ROOT / name] == (ROOT / name).read_text("utf-8")
    assert fresh, f"{name} is stale: run python tests/docs/sources.py"


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text("utf-8")):
        if "://" not in target:
            assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "docs/design.md"])
def test_files_that_are_named_exist(name: str) -> None:
    for quoted in re.findall(r"`([\w./@*-]+)`", (ROOT / name).read_text("utf-8")):
        if quoted.startswith(OWN) and "NAME" not in quoted and "PART" not in quoted:
            assert list(ROOT.glob(quoted.rstrip("/"))), f"{name} names {quoted}"


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/plugins.md", "CONTRIBUTING.md"])
def test_functions_and_classes_that_are_named_exist(name: str) -> None:
    defined = _defined()
    for quoted in re.findall(r"`([a-z_]+(?:\.\w+)+)`", (ROOT / name).read_text("utf-8")):
        last = quoted.rpartition(".")[2]
        if last not in {"py", "md", "html", "mature"}:
            assert last in defined or list(ROOT.glob(quoted.replace(".", "/") + "*")), f"{name} names {quoted}"


def _defined() -> set[str]:
    names: set[str] = set()
    for path in [*ROOT.glob("helpouts/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("docs/performance.md", "docs/roadmap.md")])
def test_commands_that_are_named_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    context = click.Context(main)
    for words in re.findall(r"(?:`|^|/bin/)helpouts ([a-z]+(?: [a-z]+)?)", text, re.MULTILINE):
        first, _, second = words.partition(" ")
        assert first in COMMANDS, f"{name} names 'helpouts {words}'"
        command = main.get_command(context, first)
        if second and isinstance(command, click.Group) and first != "x":
            assert second in command.commands, f"{name} names 'helpouts {words}'"


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in NAMES:
        for target in re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE):
            assert target in targets, f"{name} names 'make {target}'"


def test_every_option_in_the_sample_environment_is_one() -> None:
    from helpouts.config import load_config

    lines = (ROOT / "deploy" / "helpouts.env").read_text("utf-8").splitlines()
    load_config(dict(line.split("=", 1) for line in lines if line and not line.startswith("#")))


def test_every_change_is_a_sentence_in_a_file_of_a_known_kind() -> None:
    for path in (ROOT / "changelog").glob("*.md"):
        if path.name != "README.md":
            assert re.fullmatch(r"[a-z0-9-]+\.(feature|fix|change|removal)\.md", path.name)
            assert path.read_text("utf-8").rstrip().endswith(".")
