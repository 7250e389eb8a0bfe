"""Which partitions a run requests, which of them need a task, and what becomes of the others."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from option_a.ingest.config import Sources, forces_mock
from option_a.ingest.partition import Partition
from option_a.ingest.plan import (
    Planned,
    Summaries,
    is_real_under_mock,
    lookback_partitions,
    nightly_partitions,
    partition_state,
    plan_tasks,
)
from option_a.operations.requests import InvalidRequest, reject_future
from option_a.workspace.pipeline import Pipeline


class LoadPlan(msgspec.Struct, frozen=True):
    """The tasks that a request needs, and how the lake and the queues looked when it was planned."""

    partitions: list[Partition]
    """All that were requested, whether they need a task or not."""
    planned: list[Planned]
    known: Summaries
    queued: Collection[Partition]
    now: float
    kept_real: int = 0
    """Partitions whose real data is kept although their source is mock now, which may be a mistake."""

    @property
    def planned_partitions(self) -> list[Partition]:
        """The partitions that get a task."""
        return [item.task.partition for item in self.planned]

    def skipped(self) -> Counter[str]:
        """The states of the partitions that get no task; `queued` if they have one already."""
        planned = set(self.planned_partitions)
        skipped = sorted(partition for partition in set(self.partitions) if partition not in planned)
        return Counter("queued" if p in self.queued else partition_state(self.known.get(p), self.now) for p in skipped)


def plan_run(pipeline: Pipeline, names: list[str], date: dt.date | None, *, named: bool, fresh: bool) -> LoadPlan:
    """Plan the load of a date, by default of each source's latest one. `named`: the sources were requested by name.

    Raises InvalidRequest for a date in the future and for a snapshot's past.
    """
    known, now, today = pipeline.summaries(), pipeline.clock.now(), pipeline.today()
    sources = {name: pipeline.sources[name] for name in names}
    late: list[Partition] = []
    if date is None:
        late = lookback_partitions(sources.values(), today, known)
        partitions = list(dict.fromkeys([*nightly_partitions(sources.values(), today, known, now), *late]))
    else:
        reject_future(pipeline.sources, date, today)
        partitions = partitions_on(sources, date, today, named=named)
    queued, mock_over_real = pipeline.queued(), forces_mock(pipeline.settings.env)
    planned = plan_tasks(
        partitions, sources, known, pipeline.new_run_id(), now=now, fresh=fresh, queued=queued,
        mock_over_real=mock_over_real, late=late,
    )  # fmt: skip
    kept = 0 if mock_over_real else count_kept_real(sources, partitions, known, planned)
    return LoadPlan(partitions, planned, known, queued, now, kept)


def partitions_on(sources: Sources, date: dt.date, today: dt.date, *, named: bool) -> list[Partition]:
    """The partitions of one date. A snapshot has none in the past: it is left out unless requested by name.

    Raises InvalidRequest for a snapshot that was named, or if nothing else is left.
    """
    snapshots = [name for name, source in sources.items() if source.snapshot and date != today]
    if snapshots and (named or len(snapshots) == len(sources)):
        raise InvalidRequest(
            f"`{snapshots[0]}` has no date_param, so it is a snapshot: it has no past. Leave out --date"
        )
    return [Partition(name, date) for name in sources if name not in snapshots]


def count_kept_real(
    sources: Sources, partitions: Iterable[Partition], known: Summaries, planned: Iterable[Planned]
) -> int:
    """How many partitions of real data get no task because their source is mock now."""
    sent = {item.task.partition for item in planned}
    return sum(p not in sent and is_real_under_mock(sources[p.source], known.get(p)) for p in partitions)
