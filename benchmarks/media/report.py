"""The table, its limits, and the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from benchmarks.media.measure import Figure, median

Figures = Mapping[tuple[str, int], list[Figure]]
NAMES = {"stock": "aiortc MediaRelay", "janus": "Janus VideoCall", "ours": "video_aiortc"}
OF_JANUS = {1: 0.8, 10: 0.5, 60: 0.35}
OF_STOCK = 1 / 18
P50_MS, P95_MS, P95_FULL_MS = 0.6, 2.0, 5.0
FULL = 100
MEGABYTES = 0.3


def show(figures: Figures) -> list[str]:
    """Print the medians and compare them; the limits that were missed."""
    table = {key: median(list(values)) for key, values in figures.items()}
    print(
        f"\n{'calls':>5} {'server':18} {'runs':>4} {'core/call':>9} {'x Janus':>8} {'x relay':>8} {'delivered':>10} "
        f"{'p50 ms':>7} {'p95 ms':>7} {'pict/s':>6} {'MB':>5} {'MB/call':>8}"
    )
    for (server, calls), figure in sorted(table.items(), key=lambda item: (item[0][1], item[0][0] == "ours")):
        janus, stock = table.get(("janus", calls)), table.get(("stock", 1))
        print(
            f"{calls:5} {NAMES[server]:18} {len(figures[server, calls]):4} {figure.core:9.4f} "
            f"{_ratio(figure, janus):>8} {_ratio(figure, stock):>8} {_floor(figure.delivered):8.2f} % "
            f"{figure.p50:7.2f} {figure.p95:7.2f} {figure.fps:6.1f} {figure.megabytes:5.0f} "
            f"{_each(table, server, calls):8.2f}"
        )
    return _compare(table)


def _ratio(figure: Figure, other: Figure | None) -> str:
    if other is None:
        return ""
    ratio = figure.core / other.core
    return f"{ratio:.2f}" if ratio > 0.1 else f"1/{1 / ratio:.1f}"


def _floor(percent: float) -> float:
    """Not rounded up to all when one packet is missing."""
    return math.floor(percent * 100) / 100


def _each(table: Mapping[tuple[str, int], Figure], server: str, calls: int) -> float:
    """Megabytes for each call more than one; what the first needs is loaded code."""
    figure, one = table[server, calls], table.get((server, 1))
    if calls == 1 or one is None:
        return (figure.megabytes - figure.empty) / calls
    return (figure.megabytes - one.megabytes) / (calls - 1)


def _compare(table: Mapping[tuple[str, int], Figure]) -> list[str]:
    checks: list[tuple[str, float, float]] = []
    for calls, limit in OF_JANUS.items():
        if ("janus", calls) in table and ("ours", calls) in table:
            ratio = table["ours", calls].core / table["janus", calls].core
            checks.append((f"{calls} calls, of Janus", ratio, limit))
    if ("stock", 1) in table and ("ours", 1) in table:
        checks.append(("1 call, of the stock relay", table["ours", 1].core / table["stock", 1].core, OF_STOCK))
    if ("ours", 10) in table:
        checks += [
            ("10 calls, p50 ms", table["ours", 10].p50, P50_MS),
            ("10 calls, p95 ms", table["ours", 10].p95, P95_MS),
        ]
    if ("ours", FULL) in table:
        full = table["ours", FULL]
        checks += [
            (f"{FULL} calls, cores", FULL * full.core, 1.0),
            (f"{FULL} calls, % lost", 100 - full.delivered, 0.0),
            (f"{FULL} calls, p95 ms", full.p95, P95_FULL_MS),
            (f"{FULL} calls, MB each", _each(table, "ours", FULL), MEGABYTES),
        ]
    print(f"\n{'limit':30} {'measured':>9} {'at most':>8}")
    for name, value, limit in checks:
        print(f"{name:30} {value:9.3f} {limit:8.3f}{'' if value <= limit else '  missed'}")
    return [name for name, value, limit in checks if value > limit]


def plot(figures: Figures, path: Path) -> None:
    """Cost and latency over the number of calls, as a picture."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "media"
    from matplotlib import pyplot

    table = {key: median(list(values)) for key, values in figures.items()}
    figure, (cost, latency) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for server, style in (("stock", "s:"), ("janus", "^--"), ("ours", "o-")):
        sizes = sorted(calls for name, calls in table if name == server)
        if not sizes:
            continue
        line = cost.plot(sizes, [table[server, calls].core for calls in sizes], style, label=NAMES[server])[0]
        for place, dash in (("p50", "-"), ("p95", ":")):
            values = [getattr(table[server, calls], place) for calls in sizes]
            latency.plot(
                sizes, values, dash, marker="o", markersize=3, color=line.get_color(), label=f"{NAMES[server]}, {place}"
            )
    cost.set(xscale="log", yscale="log", xlabel="calls", ylabel="cores per call", title="processor time of the server")
    latency.set(xscale="log", yscale="log", xlabel="calls", ylabel="ms", title="latency that the server adds")
    for axis in (cost, latency):
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    print(f"drawn into {path}")
