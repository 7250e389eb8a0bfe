"""Plans a run: the partitions that it requests, and which of them need a task."""

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
from option_a.operations.requests import reject_future, reject_snapshots
from option_a.workspace.pipeline import Pipeline


class LoadPlan(msgspec.Struct, frozen=True):
    """The tasks that a request needs, and the state of lake and queues at planning time."""

    partitions: list[Partition]
    """Every requested partition, with or without a task."""
    planned: list[Planned]
    known: Summaries
    queued: Collection[Partition]
    now: float
    kept_real: int = 0
    """How many partitions keep real data although their source is mock now, which may be a mistake."""

    @property
    def planned_partitions(self) -> list[Partition]:
        """The partitions that get a task."""
        return [item.task.partition for item in self.planned]

    def skipped(self) -> Counter[str]:
        """The states of the partitions that get no new task; `queued` if they already have one."""
        planned = set(self.planned_partitions)
        skipped = sorted(partition for partition in set(self.partitions) if partition not in planned)
        return Counter("queued" if p in self.queued else partition_state(self.known.get(p), self.now) for p in skipped)


def plan_run(pipeline: Pipeline, names: list[str], date: dt.date | None, *, named: bool, fresh: bool) -> LoadPlan:
    """Plan the load of a date, by default each source's latest. `named`: the sources were requested by name.

    Raises InvalidRequest for a date in the future, or a past date of a snapshot.
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
    """The partitions of one date, without snapshots if it is a past date.

    Raises InvalidRequest if such a snapshot was named, or if all sources are snapshots.
    """
    snapshots = [name for name, source in sources.items() if source.snapshot and date != today]
    if named or len(snapshots) == len(sources):
        reject_snapshots(sources, snapshots)
    return [Partition(name, date) for name in sources if name not in snapshots]


def count_kept_real(
    sources: Sources, partitions: Iterable[Partition], known: Summaries, planned: Iterable[Planned]
) -> int:
    """How many partitions of real data get no task because their source is mock now."""
    sent = {item.task.partition for item in planned}
    return sum(p not in sent and is_real_under_mock(sources[p.source], known.get(p)) for p in partitions)
