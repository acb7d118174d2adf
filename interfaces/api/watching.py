"""Watching the machine: how far the views are behind, and how long rebuilds took, in numbers."""

from __future__ import annotations

from typing import Any

from flask import current_app

from projections.metrics import RECORD_POSITION, Measure, measure
from projections.records import reached

from .. import prometheus
from .caller import Caller
from .operations import Resource
from .spec import Measurements

watching = Resource("watching", "Watching: how far the views are behind, in numbers")


@watching.query("/metrics", Measurements, action="metrics.read")
def read_metrics(caller: Caller, given: dict[str, Any]) -> Measurements:
    """What there is to measure of the whole store, for Prometheus: no name, no visitor, no site is among it."""
    store = current_app.extensions["lunpai"].store
    if not store.keeps_views:
        return Measurements(prometheus.text([Measure(RECORD_POSITION, {}, store.record.position())]))
    with reached(store.read_side) as connection:
        return Measurements(prometheus.text(measure(store.read_side, connection)))
