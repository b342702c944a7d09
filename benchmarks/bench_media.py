"""What a call costs its server: our relay, Janus VideoCall, aiortc's MediaRelay, under the same load, in one run.

``python -m benchmarks.bench_media [--calls 1,10,60,100,150] [--rounds 3] [--seconds 5] [--servers stock,janus,ours]
[--minutes 8] [--no-browsers] [--plot docs/figures/media.svg]``

A call is two participants who each send Opus (50 packets a second) and VP8 640x480 at 30 pictures a second (790 kb/s):
307 packets a second go in and as many out.  All was encoded, and is protected, before the clock runs; the clients are
other processes.  Servers are started afresh for each figure, and take turns; figures are medians of the rounds.

* core per call: user and system time of the server process, from ``/proc``, over elapsed time and calls.
* delivered: media packets that came back of those that were sent, from the first to the last, of all calls.  The
  stock relay makes new packets: its pictures are what counts.
* latency: in one of the calls, from the moment before a picture's packets are handed to the kernel until the kernel
  has the last of them for the other side (``SO_TIMESTAMPNS``).  Which picture it is, is read from the decoded picture.
* pictures a second: those that were decoded.

As root on Linux everything happens in a network namespace of its own.  Exit code 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.media import browsers, measure, report

HOST = "10.99.0.1"
NAMESPACE = f"""ip link set lo up
ip link add va0 type veth peer name vb0
ip addr add {HOST}/24 dev va0
ip link set va0 up
ip link set vb0 up
ip route add default via 10.99.0.254 dev va0
exec "$@"
"""
"""A dangling interface, because aiortc and browsers do not offer 127.0.0.1; what is sent to it goes through lo."""
INSIDE = "HELPOUTS_BENCH_NAMESPACE"
FEW_CALLS = 60
"""Up to here a figure is the median of all rounds; beyond of one round less, for they take longer."""


def enter_namespace() -> str:
    """Start again in a network namespace if that is allowed; the address to use."""
    if os.environ.get(INSIDE):
        return HOST
    usable = sys.platform == "linux" and os.geteuid() == 0
    if usable and not subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode:
        os.environ[INSIDE] = "1"
        command = [sys.executable, "-m", "benchmarks.bench_media", *sys.argv[1:]]
        os.execvp("unshare", ["unshare", "-n", "sh", "-ec", NAMESPACE, "sh", *command])
    print("not root: on 127.0.0.1, without the stock relay, which does not offer that address")
    return "127.0.0.1"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", default="1,10,60,100,150")
    parser.add_argument("--servers", default="stock,janus,ours")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--minutes", type=float, default=7.5, help="no new figure is begun after this")
    parser.add_argument("--no-browsers", action="store_true")
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def main() -> int:
    """Measure, print, compare; 0 if the limits hold."""
    options = arguments()
    host = enter_namespace()
    end = time.monotonic() + 60 * options.minutes
    parts = ", ".join(f"{name} {version(name)}" for name in ("aiortc", "pylibsrtp", "uvloop"))
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, {parts}, ", end="")
    print(measure.janus_version())
    missed = []
    with tempfile.TemporaryDirectory() as name:
        bench = measure.Bench(Path(name), host, options.seconds)
        if not options.no_browsers:
            rows = asyncio.run(browsers.measure(Path(name), host, options.rounds))
            missed += browsers.show(rows)
        sizes = [int(size) for size in options.calls.split(",")]
        for turn in range(options.rounds):
            for calls in sizes:
                for server in options.servers.split(","):
                    enough = turn > 0 and (calls > FEW_CALLS and turn == options.rounds - 1)
                    if not (enough or time.monotonic() > end or not measure.possible(server, calls, host)):
                        bench.run(server, calls)
    missed += report.show(bench.figures)
    if options.plot is not None:
        report.plot(bench.figures, options.plot)
    print("limits held" if not missed else "limits missed: " + "; ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
