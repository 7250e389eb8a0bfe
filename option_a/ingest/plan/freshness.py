"""Which partitions should be there by now, and are not. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from option_a.ingest.config import Source
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import Summaries
from option_a.ingest.plan.summary import PartitionState, expected_dates, latest_date, partition_state

SCHEDULE_HOUR = 1
"""The UTC hour of the nightly run."""
UNFINISHED_STATES: tuple[PartitionState, ...] = ("failed", "incomplete", "missing")
"""What is not complete, and in nobody's hands."""


def expected_partitions(sources: Iterable[Source], now: float) -> list[Partition]:
    """Each source's newest partition whose run has had until its `due`; none of a date before `since`."""
    newest = [Partition(source.name, latest_date(source, _run_day(source, now))) for source in sources]
    since = {source.name: source.since for source in sources}
    return [p for p in newest if (first := since[p.source]) is None or p.date >= first]


def late_partitions(partitions: Iterable[Partition], summaries: Summaries, now: float) -> list[Partition]:
    """Those of them that no complete load can be read of: also one whose promotion has been left in the middle."""
    return [p for p in partitions if not _readable(p, summaries, now)]


def unfinished_partitions(
    sources: Collection[Source], today: dt.date, summaries: Summaries, now: float
) -> dict[Partition, PartitionState]:
    """What of these sources has failed, is incomplete, or is missing since the `since` that it was promised from.

    A snapshot of an earlier day can be taken by nobody any more, and is not told.
    """
    since = {source.name: latest_date(source, today) if source.snapshot else dt.date.min for source in sources}
    promised = {Partition(s.name, day) for s in sources if s.since is not None for day in expected_dates(s, today)}
    partitions = sorted(promised | {p for p in summaries if p.source in since and p.date >= since[p.source]})
    states = {partition: partition_state(summaries.get(partition), now) for partition in partitions}
    return {partition: state for partition, state in states.items() if state in UNFINISHED_STATES}


def overdue_partitions(
    sources: Collection[Source], today: dt.date, summaries: Summaries, now: float
) -> dict[Partition, str]:
    """What is wrong by now, and how: it is `lacking`, unless it has not failed and is not yet due, or it is `late`.

    A source with no `since` is late on no date before the first one that it has.
    """
    first: dict[str, dt.date] = {}
    for partition in summaries:
        first[partition.source] = min(partition.date, first.get(partition.source, partition.date))
    due = late_partitions(
        (p for p in expected_partitions(sources, now) if p.date >= first.get(p.source, p.date)), summaries, now
    )
    until = {source.name: latest_date(source, _run_day(source, now)) for source in sources}
    states = unfinished_partitions(sources, today, summaries, now)
    wrong: dict[Partition, str] = {p: s for p, s in states.items() if s == "failed" or p.date <= until[p.source]}
    return wrong | {partition: "late" for partition in due if partition not in wrong}


def _run_day(source: Source, now: float) -> dt.date:
    return dt.datetime.fromtimestamp(now - SCHEDULE_HOUR * 3600 - source.due_seconds, dt.UTC).date()


def _readable(partition: Partition, summaries: Summaries, now: float) -> bool:
    summary = summaries.get(partition)
    if partition_state(summary, now) in ("complete", "open", "promoting"):
        return True
    return summary is not None and summary.has_previous_load and summary.state != "promoting"
