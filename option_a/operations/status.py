"""The state of lake and queues: partitions, queue depths, open circuit breakers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from option_a.ingest.config import Source, Sources
from option_a.ingest.partition import Partition
from option_a.ingest.plan import (
    UNFINISHED_STATES,
    PartitionState,
    Summaries,
    expected_dates,
    latest_date,
    overdue_partitions,
)
from option_a.ingest.ports import Depth
from option_a.ingest.resilience import BreakerState, read_breakers
from option_a.operations.partition_status import PartitionStatus, status_of
from option_a.workspace.pipeline import Pipeline

_UNREMARKABLE = ("complete", "open", "missing")


class SourceStatus(msgspec.Struct, frozen=True):
    """The totals of one source."""

    name: str
    latest_date: dt.date
    latest_state: PartitionState
    counts: dict[PartitionState, int]
    records: int
    bytes: int
    depth: Depth
    oldest_task_age: float | None
    """Seconds since the oldest live task was first sent."""

    def count(self, *states: PartitionState) -> int:
        """How many partitions are in one of these states."""
        return sum(self.counts.get(state, 0) for state in states)


class MissingDates(msgspec.Struct, frozen=True):
    """Missing partitions, at least one from before its source's latest date."""

    count: int
    first: dt.date
    last: dt.date
    """The range to backfill, without the sources' latest dates."""
    includes_latest: bool
    """Whether a latest date, which a run loads, is missing too."""


class Status(msgspec.Struct, frozen=True):
    """Everything that `option-a status` shows."""

    now: float
    sources: list[SourceStatus]
    partitions: list[PartitionStatus]
    missing: MissingDates | None
    open_breakers: dict[str, BreakerState]
    depths: list[Depth]
    overdue: dict[str, int]
    """By state, how many partitions should be complete by now and are failed, incomplete, missing or late."""
    undeclared_sources: list[str]
    undeclared_queues: list[Depth]

    @property
    def ok(self) -> bool:
        """Whether everything that should be complete by now is: the verdict of --check."""
        return not any(self.overdue.values())

    @property
    def problems(self) -> list[PartitionStatus]:
        """The partitions that were started and are not complete."""
        return [status for status in self.partitions if status.state not in _UNREMARKABLE]

    def to_json(self) -> dict[str, Any]:
        """The document of --json."""
        return {
            "partitions": [status.to_json() for status in self.partitions],
            "queues": [_depth_row(depth, self.now) for depth in self.depths],
            "breakers": [_breaker_row(source, state) for source, state in self.open_breakers.items()],
            "lacks": self.overdue,
        }


def read_status(pipeline: Pipeline, names: Sequence[str], *, named: bool) -> Status:
    """The status of these sources and, unless they were `named`, the partitions of undeclared ones."""
    known, now, today = pipeline.summaries(), pipeline.clock.now(), pipeline.today()
    depths = sorted(pipeline.depths(), key=lambda depth: depth.queue)
    breakers = read_breakers(pipeline.lake, names, now)
    outages = {source: breaker.why for source, breaker in breakers.items()}
    sources = [pipeline.sources[name] for name in names]
    partitions = list_partitions(sources, known, today, include_undeclared=not named)
    statuses = [status_of(p, known, now, outage=outages.get(p.source, "")) for p in partitions]
    return Status(
        now=now,
        sources=source_statuses(sources, statuses, depths, today, now),
        partitions=statuses,
        missing=find_missing(statuses, pipeline.sources, today),
        open_breakers={source: breaker for source, breaker in breakers.items() if breaker.until},
        depths=depths,
        overdue=count_overdue(sources, today, known, now),
        undeclared_sources=sorted({partition.source for partition in known} - pipeline.sources.keys()),
        undeclared_queues=[depth for depth in depths if depth.queue not in pipeline.sources],
    )


def list_partitions(
    sources: Iterable[Source], known: Summaries, today: dt.date, *, include_undeclared: bool
) -> list[Partition]:
    """The partitions that should exist by now, and those that exist."""
    expected = {Partition(source.name, date) for source in sources for date in expected_dates(source, today)}
    names = {partition.source for partition in expected}
    return sorted(expected | {p for p in known if include_undeclared or p.source in names})


def source_statuses(
    sources: Iterable[Source], statuses: Iterable[PartitionStatus], depths: Iterable[Depth], today: dt.date, now: float
) -> list[SourceStatus]:
    """The totals of each source; `statuses` include its latest date."""
    by_source: dict[str, list[PartitionStatus]] = {}
    for status in statuses:
        by_source.setdefault(status.partition.source, []).append(status)
    by_queue = {depth.queue: depth for depth in depths}
    return [
        _source_status(
            source.name, latest_date(source, today), by_source[source.name],
            by_queue.get(source.name) or Depth(source.name), now,
        )
        for source in sources
    ]  # fmt: skip


def _source_status(
    name: str, latest: dt.date, statuses: Collection[PartitionStatus], depth: Depth, now: float
) -> SourceStatus:
    summaries = [status.summary for status in statuses if status.summary is not None]
    return SourceStatus(
        name=name,
        latest_date=latest,
        latest_state=next(status.state for status in statuses if status.partition.date == latest),
        counts=Counter(status.state for status in statuses),
        records=sum(summary.records for summary in summaries),
        bytes=sum(summary.bytes for summary in summaries),
        depth=depth,
        oldest_task_age=_age(depth, now),
    )


def find_missing(statuses: Iterable[PartitionStatus], declared: Sources, today: dt.date) -> MissingDates | None:
    """The missing partitions; None if no date before a source's latest is missing."""
    missing = [status.partition for status in statuses if status.summary is None]
    past = [p.date for p in missing if p.date != latest_date(declared[p.source], today)]
    if not past:
        return None
    return MissingDates(len(missing), min(past), max(past), includes_latest=len(past) < len(missing))


def count_overdue(sources: Collection[Source], today: dt.date, known: Summaries, now: float) -> dict[str, int]:
    """How many partitions are not as declared, by state or as `late`."""
    counts = Counter(overdue_partitions(sources, today, known, now).values())
    return {state: counts[state] for state in (*UNFINISHED_STATES, "late")}


def _age(depth: Depth, now: float) -> float | None:
    return None if depth.oldest is None else now - depth.oldest


def _breaker_row(source: str, state: BreakerState) -> dict[str, Any]:
    return {
        "source": source, "since": state.since, "until": state.until, "failures": state.failures, "why": state.why,
    }  # fmt: skip


def _depth_row(depth: Depth, now: float) -> dict[str, Any]:
    age = _age(depth, now)
    return {
        "queue": depth.queue, "visible": depth.visible, "delayed": depth.delayed, "in_flight": depth.in_flight,
        "dead": depth.dead, "oldest_seconds": None if age is None else round(age, 3),
    }  # fmt: skip
