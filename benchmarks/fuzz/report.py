"""What came of a run of nonsense, judged and printed alike for whatever it was thrown at."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

GROWTH_MB = 12.0
"""A process's memory may grow by this between the end of the warm-up and the end, however long it takes."""
WARM_UP = 0.3
"""Part of the time after which the figures are looked at for the first time."""


@dataclass
class Report:
    """What was sent, the figures of the process after the warm-up and at the end, and everything that was wrong.

    Figures are ``rss_mb``, ``tasks``, ``files`` and whatever must not be left behind.
    """

    sent: Counter[str] = field(default_factory=Counter)
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def judge(self, left: Mapping[str, int], slack: int) -> None:
        """Note what has grown and what is left behind.

        :param left: the most that may be left, by figure.
        :param slack: by how much tasks and open files may grow: connections come and go.
        """
        before, after = self.before or self.after, self.after
        if after["rss_mb"] - before["rss_mb"] > GROWTH_MB:
            self.problems.append(f"memory grew from {before['rss_mb']:.1f} to {after['rss_mb']:.1f} MB")
        for name, most in left.items():
            if after[name] > most:
                self.problems.append(f"{after[name]:.0f} {name} are left, not {most}")
        for name in ("tasks", "files"):
            if after[name] > before[name] + slack:
                self.problems.append(f"{name} grew from {before[name]:.0f} to {after[name]:.0f}")

    def remarks(self) -> list[str]:
        """Further lines to print."""
        return []


R = TypeVar("R", bound=Report)


def run(doc: str | None, fuzz: Callable[[int, float], Awaitable[R]]) -> int:
    """Fuzz as the command line says, print what was sent and what came of it; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    async def fuzzed() -> R:
        return await fuzz(options.seed, options.seconds)

    report = asyncio.run(fuzzed())
    for kind, count in sorted(report.sent.items()):
        print(f"{count:9} {kind}")
    for remark in report.remarks():
        print(remark)
    print(f"memory may grow by {GROWTH_MB:.0f} MB")
    for name in ("rss_mb", "tasks", "files"):
        print(f"{name}: {report.before.get(name, 0):.5g} after the warm-up, {report.after.get(name, 0):.5g} at the end")
    for problem in report.problems:
        print("PROBLEM", problem)
    return 1 if report.problems else 0
