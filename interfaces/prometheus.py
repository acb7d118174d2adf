"""Measurements in the text format that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from projections.metrics import ABOUT, Measure

disable_created_metrics()  # when a counter began, told as one more number beside each; nothing here asks for it


class _Measured(Collector):
    def __init__(self, measures: Sequence[Measure]) -> None:
        self.measures = measures

    def collect(self) -> Iterator[Metric]:
        for name, about in ABOUT.items():
            samples = [measure for measure in self.measures if measure.name == name]
            if samples:
                family = GaugeMetricFamily(name, about, labels=list(samples[0].labels))
                for sample in samples:
                    family.add_metric(list(sample.labels.values()), float(sample.value))
                yield family


def text(measures: Iterable[Measure]) -> str:
    """The measurements, each name with what it measures."""
    registry = CollectorRegistry()  # not the library's own, which would add numbers of this process
    registry.register(_Measured(list(measures)))
    return generate_latest(registry).decode()
