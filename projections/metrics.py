"""The read side for whoever watches it: where its views stand, and the same in numbers."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import psycopg

from .live import Lag, ReadSide, lag
from .records import ParkedStream, RebuildRecord, keeping, parked, rebuilds

RECORD_POSITION = "lunpai_record_position"
ABOUT = {
    RECORD_POSITION: "Position of the last fact on record",
    "lunpai_views_kept": "Whether a worker keeps the views live",
    "lunpai_view_position": "Position of the last fact that a view holds",
    "lunpai_view_behind_facts": "Facts that a view is behind the record",
    "lunpai_view_behind_seconds": "Seconds since the oldest fact that a view does not hold was recorded",
    "lunpai_view_parked_streams": "Streams that a view could not take",
    "lunpai_view_in_trouble": "Whether a view must be rebuilt before it is kept again",
    "lunpai_rebuild_seconds": "Duration of the last rebuild or check that was done",
    "lunpai_rebuild_facts_per_second": "Facts folded a second by the last rebuild or check that was done",
    "lunpai_rebuild_ended_timestamp_seconds": "When the last rebuild or check that was done ended",
    "lunpai_rebuild_differences": "Rows that the last rebuild or check that was done found not to be the same",
}
"""Name -> what it measures. All are gauges."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """`position`: of the last fact on record. `kept_by`: what the worker calls itself that keeps the views live."""

    position: int
    kept_by: str | None
    views: list[Lag]
    parked: list[ParkedStream]
    last_rebuild: RebuildRecord | None
    last_check: RebuildRecord | None

    @property
    def whole(self) -> bool:
        """Whether every view can be kept live, and lacks nothing."""
        return not self.parked and all(view.trouble is None for view in self.views)


def overview(read_side: ReadSide, connection: psycopg.Connection) -> Overview:
    """Where the views stand now."""
    last_rebuild, last_check = (rebuilds(read_side, connection, 1, done=mode) for mode in ("rebuild", "check"))
    return Overview(
        position=read_side.head(),
        kept_by=keeping(read_side, connection),
        views=lag(read_side, connection),
        parked=parked(read_side, connection),
        last_rebuild=last_rebuild[0] if last_rebuild else None,
        last_check=last_check[0] if last_check else None,
    )


class Measure(NamedTuple):
    """`name`: one of ABOUT."""

    name: str
    labels: dict[str, str]
    value: float


def measure(read_side: ReadSide, connection: psycopg.Connection) -> list[Measure]:
    """Everything there is to measure of the read side now. What has never been done is left out."""
    found = [
        Measure(RECORD_POSITION, {}, read_side.head()),
        Measure("lunpai_views_kept", {}, keeping(read_side, connection) is not None),
    ]
    for view in lag(read_side, connection):
        values = {
            "lunpai_view_position": view.position,
            "lunpai_view_behind_facts": view.facts,
            "lunpai_view_behind_seconds": view.seconds,
            "lunpai_view_parked_streams": view.parked,
            "lunpai_view_in_trouble": view.trouble is not None,
        }
        found.extend(Measure(name, {"view": view.view}, value) for name, value in values.items())
    for mode in ("rebuild", "check"):
        for last in rebuilds(read_side, connection, 1, done=mode):
            found.extend(Measure(name, {"mode": mode}, value) for name, value in _of(last).items())
    return found


def _of(last: RebuildRecord) -> dict[str, float]:
    assert last.seconds is not None and last.ended_at is not None
    measured = {
        "lunpai_rebuild_seconds": last.seconds,
        "lunpai_rebuild_facts_per_second": last.folded / last.seconds if last.seconds else 0.0,
        "lunpai_rebuild_ended_timestamp_seconds": last.ended_at.timestamp(),
    }
    # A rebuild of views that had no live rows has compared nothing, which is not the same as finding nothing.
    return measured | ({"lunpai_rebuild_differences": last.differences} if last.compared else {})
