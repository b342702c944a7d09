"""What a live process and its transports count, in the words of Prometheus.

The transports' names come from the keys of :meth:`TransportDriver.statistics`; all transports' figures have the
same names.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, UnknownMetricFamily
from prometheus_client.registry import Collector

from helpouts.sessions.transport import TransportDriver

if TYPE_CHECKING:
    from helpouts.live.node import Node

log = structlog.get_logger("helpouts.live")
_GAUGES = {"rooms": "Rooms with somebody in them.", "legs": "Connections of participants."}
_TRAFFIC = re.compile(r"(?:(\w+)_)?(packets|bytes)_(in|out)")
_DROPPED = re.compile(r"dropped(?:_(\w+))?")


class Transports(Collector):
    """Asks each driver when somebody looks, so that counting costs nothing in between."""

    def __init__(self, drivers: Mapping[str, TransportDriver]) -> None:
        self._drivers = drivers

    def collect(self) -> Iterable[Metric]:
        """One family for each kind of figure, labelled with the transport."""
        gauges = {
            key: GaugeMetricFamily(f"helpouts_transport_{key}", text, labels=["transport"])
            for key, text in _GAUGES.items()
        }
        traffic = {
            what: CounterMetricFamily(f"helpouts_transport_{what}", text, labels=["transport", "path", "direction"])
            for what, text in (("packets", "Packets of media moved."), ("bytes", "Bytes of media moved."))
        }
        dropped = CounterMetricFamily(
            "helpouts_transport_dropped", "What was not moved, by cause.", labels=["transport", "cause"]
        )
        others = UnknownMetricFamily(
            "helpouts_transport_statistic", "Whatever else a transport counts.", labels=["transport", "name"]
        )
        for transport, driver in list(self._drivers.items()):
            for key, value in _statistics(transport, driver).items():
                if key in gauges:
                    gauges[key].add_metric([transport], value)
                elif found := _TRAFFIC.fullmatch(key):
                    path, what, direction = found.groups(default="main")
                    traffic[what].add_metric([transport, path, direction], value)
                elif found := _DROPPED.fullmatch(key):
                    dropped.add_metric([transport, found[1] or "any"], value)
                else:
                    others.add_metric([transport, key], value)
        return [*gauges.values(), *traffic.values(), dropped, others]


def _statistics(transport: str, driver: TransportDriver) -> Mapping[str, float]:
    """What can be shown of it; nothing when the transport fails: the other figures are still wanted."""
    try:
        return {key: value for key, value in driver.statistics().items() if isinstance(value, (int, float))}
    except Exception:
        log.exception("a transport's figures could not be read", transport=transport)
        return {}


class Process(Collector):
    """What the process holds itself: all three fall back when people are gone, or something is never let go."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterable[Metric]:
        """Counted when somebody looks; on the process's event loop."""
        node = self._node
        sockets = sum(1 for _found in node.rooms.connections()) + sum(map(len, node.desk.devices.values()))
        for name, text, value in (
            ("rooms", "Rooms with somebody in them, or that somebody may come back to.", len(node.rooms.by_id)),
            ("sockets", "WebSockets of people in rooms and at their desks.", sockets),
            ("tasks", "Tasks of the event loop.", len(asyncio.all_tasks())),
        ):
            yield GaugeMetricFamily(f"helpouts_live_{name}", text, value=value)


def of_process(node: Node) -> bytes:
    """All figures of a live process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Process(node))
    return exposition(node.drivers) + generate_latest(registry)


def exposition(drivers: Mapping[str, TransportDriver]) -> bytes:
    """This process's figures and its transports'."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Transports(drivers))
    return generate_latest() + generate_latest(registry)
