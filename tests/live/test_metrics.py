"""The figures of a live process's transports, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from helpouts.live.metrics import exposition
from helpouts.testing.dummy_transport import DummyDriver


class Counting:
    """A transport of which only the figures matter."""

    def __init__(self, **figures: Any) -> None:
        self._figures = figures

    def statistics(self) -> dict[str, Any]:
        return self._figures


class Broken:
    def statistics(self) -> dict[str, Any]:
        raise RuntimeError("the figures are gone")


LABELS = ("transport", "path", "direction", "cause", "name")


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name and values of the labels → value."""
    return {
        (
            sample.name.removeprefix("helpouts_transport_"),
            tuple(sample.labels[label] for label in LABELS if label in sample.labels),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("helpouts_transport")
    }


def test_each_figure_has_one_name_for_all_transports() -> None:
    drivers: dict[str, Any] = {
        "relay": Counting(rooms=1, legs=2, packets_in=30, bytes_out=4000, tcp_packets_in=5, dropped_srtp=6, grants=7),
        "peer": Counting(rooms=8, legs=9, dropped=10, messages=11),
    }
    assert samples(exposition(drivers).decode()) == {
        ("rooms", ("relay",)): 1,
        ("rooms", ("peer",)): 8,
        ("legs", ("relay",)): 2,
        ("legs", ("peer",)): 9,
        ("packets_total", ("relay", "main", "in")): 30,
        ("packets_total", ("relay", "tcp", "in")): 5,
        ("bytes_total", ("relay", "main", "out")): 4000,
        ("dropped_total", ("relay", "srtp")): 6,
        ("dropped_total", ("peer", "any")): 10,
        ("statistic", ("relay", "grants")): 7,
        ("statistic", ("peer", "messages")): 11,
    }


def test_a_transport_whose_figures_fail_takes_no_others_with_it() -> None:
    drivers: dict[str, Any] = {"broken": Broken(), "relay": Counting(rooms=1, note="no number")}
    text = exposition(drivers).decode()
    assert samples(text) == {("rooms", ("relay",)): 1}
    assert "python_info" in text


async def test_metrics_show_the_rooms_of_the_transport_in_use(live: Callable[[], Any], pair: Any) -> None:
    async with live() as place:
        async with place.client.get("/metrics") as before:
            assert samples(await before.text()) == {}
        await place.enter(pair.session, pair.customer)
        assert isinstance(place.driver, DummyDriver)
        async with place.client.get("/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            assert samples(await response.text()) == {("rooms", ("dummy",)): 1, ("legs", ("dummy",)): 1}
