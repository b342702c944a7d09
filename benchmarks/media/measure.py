"""One figure: a fresh server, its load, and what both say afterwards."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.media import material, subjects

WARM = 1.5
"""Seconds of load before the clock runs."""
MOST_STOCK = 2


@dataclass(frozen=True)
class Figure:
    """Of one run, or the medians of several."""

    core: float
    """Cores that the server process used for each call."""
    delivered: float
    p50: float
    """Milliseconds, as ``p95``."""
    p95: float
    fps: float
    megabytes: float
    """Resident memory of the server with the calls."""
    empty: float
    """The same before the first."""
    load: float
    """Cores that the clients used, all together."""


def median(figures: list[Figure]) -> Figure:
    """Of each column; of what was delivered, the worst."""
    columns = {
        field.name: (min if field.name == "delivered" else statistics.median)(
            [getattr(figure, field.name) for figure in figures]
        )
        for field in fields(Figure)
    }
    return Figure(**columns)


def possible(server: str, calls: int, host: str) -> bool:
    """What makes sense: the stock relay can carry about two calls."""
    return server != "stock" or (calls <= MOST_STOCK and not host.startswith("127."))


def janus_version() -> str:
    """As it says itself; empty when it is not there."""
    program = shutil.which("janus")
    if program is None:
        return "no Janus"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\((\d[\d.]*)\)", said)
    return f"Janus {found[1] if found else ''}"


class Bench:
    """Collects figures by server and number of calls."""

    def __init__(self, folder: Path, host: str, seconds: float) -> None:
        self._folder, self._host, self._seconds = folder, host, seconds
        self._material = folder / "material"
        made = material.make(self._material)
        print(f"one participant sends {made.packets_per_second:.0f} packets a second", flush=True)
        self.figures: dict[tuple[str, int], list[Figure]] = defaultdict(list)
        self._runs = 0

    def run(self, server: str, calls: int) -> None:
        """Take one more figure."""
        self._runs += 1
        with subjects.running(server, self._folder / f"server{self._runs}", self._host) as subject:
            figure = self._under_load(subject, calls)
        self.figures[server, calls].append(figure)
        print(
            f"  {calls:4} {'call ' if calls == 1 else 'calls'} {server:6} {figure.core:.4f} core/call  "
            f"{figure.delivered:7.3f} %  {figure.p50:6.2f} / {figure.p95:6.2f} ms  {figure.fps:4.1f} /s  "
            f"{figure.megabytes:4.0f} MB  (clients {figure.load:.2f} core)",
            flush=True,
        )

    def _under_load(self, subject: subjects.Subject, calls: int) -> Figure:
        empty = subject.megabytes()
        loads = [self._start(subject, 1, 0, probe=True)]
        if calls > 1:
            loads.append(self._start(subject, calls - 1, 1, probe=False))
        try:
            for load in loads:
                if _line(load) != "ready":
                    raise RuntimeError(f"a client of {subject.name} failed, see above")
            for load in loads:
                _say(load, "go")
            time.sleep(WARM)
            used, begun = subject.cpu(), time.monotonic()
            time.sleep(self._seconds)
            used = (subject.cpu() - used) / (time.monotonic() - begun)
            megabytes = subject.megabytes()
            found: list[dict[str, Any]] = [json.loads(_line(load)) for load in loads]
        finally:
            for load in loads:
                load.kill()
                load.communicate()
        pictures = subject.name == "stock"
        delivered = found[0]["fps"] / material.FPS if pictures else _sum(found, "received") / _sum(found, "sent")
        return Figure(
            core=used / calls,
            delivered=100 * delivered,
            p50=found[0].get("p50", float("inf")),
            p95=found[0].get("p95", float("inf")),
            fps=found[0]["fps"],
            megabytes=megabytes,
            empty=empty,
            load=_sum(found, "cpu"),
        )

    def _start(self, subject: subjects.Subject, calls: int, first: int, *, probe: bool) -> subprocess.Popen[str]:
        load = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.media.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        job = {
            "subject": subject.name, "url": subject.url, "calls": calls, "first": first, "probe": probe,
            "seconds": WARM + self._seconds + 0.5, "material": str(self._material), "host": self._host,
        }  # fmt: skip
        _say(load, json.dumps(job))
        return load


def _sum(found: list[dict[str, Any]], key: str) -> float:
    return float(sum(each[key] for each in found))


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
