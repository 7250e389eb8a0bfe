"""Which partitions should be there by now, and are not. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from option_a.ingest.layout import Partition
from option_a.ingest.plan import Known
from option_a.ingest.source import Source
from option_a.ingest.summary import newest, standing

SCHEDULE_HOUR = 1
"""The UTC hour of the nightly run."""


def expected(sources: Iterable[Source], now: float) -> list[Partition]:
    """Each source's newest partition whose run has had until its `due`; none of a date before `since`."""
    found = [Partition(source.name, newest(source, _run_day(source, now))) for source in sources]
    since = {source.name: source.since for source in sources}
    return [p for p in found if (first := since[p.source]) is None or p.date >= first]


def late(partitions: Iterable[Partition], known: Known, now: float) -> list[Partition]:
    """Those of them that no complete load can be read of: also one whose promotion has been left in the middle."""
    return [p for p in partitions if not _readable(p, known, now)]


def _run_day(source: Source, now: float) -> dt.date:
    return dt.datetime.fromtimestamp(now - SCHEDULE_HOUR * 3600 - source.due_seconds, dt.UTC).date()


def _readable(partition: Partition, known: Known, now: float) -> bool:
    summary = known.get(partition)
    if standing(summary, now) in ("complete", "open", "promoting"):
        return True
    return summary is not None and summary.beneath and summary.state != "promoting"
