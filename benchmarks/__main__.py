"""``make bench``: run every benchmark, one after the other; exit code 1 when one missed its limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the modules ``bench_*`` of this folder, each in a process of its own."""
    missed = []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"\n== {path.stem} ==", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=False).returncode:
            missed.append(path.stem)
    print("\nall within their limits" if not missed else f"\nlimits missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
