"""Watching the machine: how far the views are behind, how long rebuilds took, and what was asked, in numbers."""

from __future__ import annotations

from typing import Any

from flask import current_app

from projections.metrics import RECORD_POSITION, Measure, measure
from projections.records import reached

from .. import prometheus
from ..store import Store
from .caller import Caller
from .operations import Resource
from .spec import Measurements

watching = Resource("watching", "Watching: requests, and how far the views are behind, in numbers")


@watching.query("/metrics", Measurements, action="metrics.read")
def read_metrics(caller: Caller, given: dict[str, Any]) -> Measurements:
    """What there is to measure of the store and its API, for Prometheus: no name, no visitor, no site is among it."""
    parts = current_app.extensions["lunpai"]
    return Measurements(prometheus.text(_of_the_store(parts.store)) + parts.requests.text())


def _of_the_store(store: Store) -> list[Measure]:
    if not store.keeps_views:
        return [Measure(RECORD_POSITION, {}, store.record.position())]
    with reached(store.read_side) as connection:
        return measure(store.read_side, connection)
