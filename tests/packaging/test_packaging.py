"""What people install: wheels that are whole, together in an environment that has no sources, with third parties."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from parts import PARTS, ROOT, SKELETONS, THIRD_PARTY, Built, Environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
THIRD = {"category_music", "category_juggling", "payments_acme", "vetting_short"}
PLUGINS = {part.name for part in PARTS if part.parent.name == "plugins"}


def test_the_builds_say_nothing_that_sounds_like_a_warning(built: Built) -> None:
    lines = [line for line in built.output.splitlines() if "warn" in line.lower() or "deprecat" in line.lower()]
    assert lines == []


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_wheel_has_every_file_of_its_package_and_no_other_package(built: Built, part: Path) -> None:
    source = ROOT / part / "src" if part != Path(".") else ROOT
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=source,
        capture_output=True,
        text=True,
        check=True,
    )
    package = "helpouts/" if part == Path(".") else "helpouts_"
    expected = {name for name in tracked.stdout.split() if name.startswith(package) and (source / name).is_file()}
    with zipfile.ZipFile(built.wheels[part.as_posix()]) as wheel:
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert expected - inside == set(), "files that are not in the wheel"
    assert len({name.partition("/")[0] for name in inside}) == 1
    assert {name.partition("/")[0] for name in inside} == {name.partition("/")[0] for name in expected}


def test_nothing_generic_can_be_imported_and_nothing_comes_from_the_sources(environment: Environment) -> None:
    code = (
        "import importlib.util as u, json, helpouts, helpouts_admin, helpouts_category_it, acme_music\n"
        "found = [n for n in ('admin', 'plugins', 'tests', 'docs', 'benchmarks', 'src') if u.find_spec(n)]\n"
        "files = [m.__file__ for m in (helpouts, helpouts_admin, helpouts_category_it, acme_music)]\n"
        "print(json.dumps([found, files]))"
    )
    done = environment.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    found, files = json.loads(done.stdout)
    assert found == []
    assert all(file.startswith(str(environment.folder)) for file in files)


def test_what_is_installed_has_what_it_needs(environment: Environment) -> None:
    done = environment.run("python", "-m", "pip", "check")
    assert "helpouts" not in done.stdout, done.stdout


def test_the_compiled_part_of_the_relay_is_there_and_works(environment: Environment) -> None:
    done = environment.run("python", "-c", "from helpouts_video_aiortc import fastpath; print(fastpath.works())")
    assert done.stdout == "True\n", done.stderr


@contextmanager
def serving(environment: Environment, **variables: str) -> Iterator[str]:
    """``helpouts web`` of the environment; the address of the site."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environ = {"PATH": "/usr/bin:/bin", "HELPOUTS_PORT": port, "HELPOUTS_WEB_WORKERS": "1", **variables}
    command = [str(environment.folder / "bin" / "helpouts"), "web"]
    process = subprocess.Popen(command, cwd=environment.folder, env=environ, stderr=subprocess.PIPE, text=True)
    base, end = f"http://127.0.0.1:{port}", time.monotonic() + 100
    try:
        while True:
            try:
                with urllib.request.urlopen(f"{base}/readyz", timeout=5):
                    break
            except OSError:
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < end, "the web process does not answer"
                time.sleep(0.1)
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def page(url: str) -> str:
    """The page at this address."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def test_a_site_runs_from_the_wheels_with_the_third_parties(environment: Environment, tmp_path: Path) -> None:
    data = {"HELPOUTS_DATA": str(tmp_path / "data")}
    done = environment.run("helpouts", "db", "upgrade", **data)
    assert done.returncode == 0, done.stderr
    assert "core" in done.stdout
    assert environment.run("helpouts", "db", "check", **data).returncode == 0

    rows = json.loads(environment.run("helpouts", "plugins", "list", "--json", **data).stdout)
    assert {row["name"] for row in rows} == PLUGINS | {"console"} | THIRD
    assert {row["state"] for row in rows} == {"enabled"}, rows
    versions = {row["name"]: (row["distribution"], row["version"]) for row in rows}
    assert versions["category_music"] == ("helpouts-category-music", "1.2.3")
    assert versions["payments_acme"] == ("helpouts-payments-acme", "0.1.0")

    with serving(environment, **data) as base:
        assert "Music" in page(f"{base}/")
        assert "Juggling" in page(f"{base}/")
        assert "Somebody who hears what you play" in page(f"{base}/c/music")
        assert page(f"{base}/static/css/tokens.css")
        assert page(f"{base}/x/video_aiortc/static/transport.js")
        environment.run("helpouts", "plugins", "disable", "category_music", **data)
        assert "Music" not in page(f"{base}/")
        with pytest.raises(urllib.error.HTTPError) as gone:
            page(f"{base}/c/music")
        gone.value.close()
        assert gone.value.code == 404


def test_safe_mode_leaves_the_third_parties_out(environment: Environment, tmp_path: Path) -> None:
    data = {"HELPOUTS_DATA": str(tmp_path / "data"), "HELPOUTS_SAFE_MODE": "1"}
    rows = json.loads(environment.run("helpouts", "plugins", "list", "--json", **data).stdout)
    assert {row["name"] for row in rows} == PLUGINS | {"console"}


def conformance(environment: Environment, sources: Path, tmp_path: Path) -> None:
    """Run a third party's own tests where it is installed, far from its sources."""
    tests = Path(shutil.copytree(sources / "tests", tmp_path / "tests"))
    options = ["-q", "-p", "no:cacheprovider", "-k", "not postgresql", "--rootdir", str(tmp_path)]
    done = environment.run("python", "-m", "pytest", *options, str(tests))
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout


def test_a_third_party_passes_its_conformance_suite_there(environment: Environment, tmp_path: Path) -> None:
    conformance(environment, THIRD_PARTY / "helpouts-category-music", tmp_path)


@pytest.mark.parametrize("name", [name for _, _, name in SKELETONS])
def test_a_skeleton_passes_its_conformance_suite_and_the_checklist(
    built: Built, environment: Environment, tmp_path: Path, name: str
) -> None:
    checked = environment.run("helpouts", "plugins", "check", str(built.skeletons / name))
    assert (checked.stdout, checked.returncode) == ("nothing to mend\n", 0)
    conformance(environment, built.skeletons / name, tmp_path)
