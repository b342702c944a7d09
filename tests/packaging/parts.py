"""Wheels of everything, and an environment that has nothing but them and their dependencies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpouts.cli.scaffold import write_skeleton

ROOT = Path(__file__).parents[2]
THIRD_PARTY = Path(__file__).parent / "third_party"
#: What ``helpouts plugins new`` is asked to write: family, name, and the distribution that comes of it.
SKELETONS = (
    ("category", "juggling", "helpouts-category-juggling"),
    ("payment_backend", "acme", "helpouts-payments-acme"),
    ("vetting_rule", "short", "helpouts-vetting-short"),
)
#: Folders of distributions, below the root of the repository.
PARTS = [Path("."), Path("admin"), *(path.relative_to(ROOT) for path in sorted((ROOT / "plugins").iterdir()))]
#: What the root's distribution is built from; the rest of the repository is not needed for it.
CORE = ("helpouts", "setup.cfg", "pyproject.toml", "README.md")
NOT_SOURCES = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".*_cache")


@dataclass(frozen=True)
class Built:
    """What was built, and what the builds said."""

    wheels: dict[str, Path]
    output: str
    skeletons: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own."""

    folder: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, far from the sources."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        program = [str(self.folder / "bin" / command[0]), *command[1:]]
        return subprocess.run(
            program, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=500, check=False
        )


def _copy(part: Path, to: Path) -> Path:
    if part != Path("."):
        return Path(shutil.copytree(ROOT / part, to, ignore=NOT_SOURCES))
    to.mkdir()
    for name in CORE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=NOT_SOURCES)
        else:
            shutil.copy(source, to / name)
    return to


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheels of core, console, plugins and third parties, by the folder that each was built from."""
    folder, wheels, output = tmp_path_factory.mktemp("wheels"), {}, []
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}  # a setting of the caller's must not be a warning
    sources = {part.as_posix(): _copy(part, folder / (part.name or "core")) for part in PARTS}
    sources |= {path.name: shutil.copytree(path, folder / path.name) for path in THIRD_PARTY.iterdir()}
    sources |= {name: write_skeleton(family, slug, folder / "new") for family, slug, name in SKELETONS}
    for part, source in sources.items():
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(source / "dist")]
        done = subprocess.run(
            [*command, str(source)], env=environ, capture_output=True, text=True, timeout=300, check=False
        )
        output.append(done.stdout + done.stderr)
        assert done.returncode == 0, output[-1]
        wheels[part] = next((source / "dist").glob("*.whl"))
    return Built(wheels, "".join(output), folder / "new")


@pytest.fixture(scope="session")
def environment(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """All wheels installed together, without sources; the dependencies are those of the environment at hand, by link.

    Links, because a path to the environment at hand would bring its editable installations along.
    """
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    install = ["-m", "pip", "install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check"]
    wheels = [str(wheel) for wheel in built.wheels.values()]
    subprocess.run([str(folder / "bin" / "python"), *install, *wheels], check=True, timeout=300)
    site_packages = next(folder.glob("lib/python*/site-packages"))
    for source in Path(sysconfig.get_paths()["purelib"]).iterdir():
        editable = source.name.startswith(("helpouts", "__editable__")) or source.suffix == ".pth"
        if not editable and not (site_packages / source.name).exists():
            (site_packages / source.name).symlink_to(source)
    return Environment(folder)
