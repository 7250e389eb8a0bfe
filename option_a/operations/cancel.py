"""Removes queued tasks."""

from __future__ import annotations

import msgspec

from option_a.operations.requests import DateRange, resolve_sources
from option_a.workspace.pipeline import Pipeline


class Cancelled(msgspec.Struct, frozen=True):
    """How many tasks were removed, and how many a worker is processing and will finish."""

    cancelled: int
    in_flight: int


def cancel_tasks(pipeline: Pipeline, source: str, dates: DateRange) -> Cancelled:
    """Remove a source's queued tasks of these dates.

    Raises InvalidRequest if the source is neither declared nor has a queue with tasks.
    """
    if source not in pipeline.sources and source not in {depth.queue for depth in pipeline.depths()}:
        resolve_sources(pipeline.sources, [source])
    return Cancelled(*pipeline.cancel(source, dates.first.isoformat(), dates.last.isoformat()))
