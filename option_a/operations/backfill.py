"""Plans a backfill: the partitions of a range of dates that are loaded, and those left as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from option_a.ingest.config import forces_mock
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Only, backfill_partitions, partition_state, plan_tasks
from option_a.operations.plan import LoadPlan, count_kept_real
from option_a.operations.requests import DateRange, reject_future, reject_snapshots
from option_a.workspace.pipeline import Pipeline


class Backfill(LoadPlan, frozen=True):
    """The plan of a range of dates. `reported` are its partitions without those that `only` filtered out."""

    reported: list[Partition] = []
    not_attempted: dict[str, int] = {}
    """By state, how many reported partitions failed or are incomplete and get no task."""


def plan_backfill(
    pipeline: Pipeline, names: list[str], dates: DateRange, only: Only, *, named: Collection[str]
) -> Backfill:
    """Plan the load of past dates, newest first. `named`: the sources that were requested by name.

    Raises InvalidRequest if the range ends in the future or a snapshot was named.
    """
    reject_future(pipeline.sources, dates.last, pipeline.today())
    reject_snapshots(pipeline.sources, named)
    sources = {name: pipeline.sources[name] for name in names}
    partitions = backfill_partitions(sources.values(), dates.first, dates.last)
    known, queued, now = pipeline.summaries(), pipeline.queued(), pipeline.clock.now()
    mock_over_real = forces_mock(pipeline.settings.env)
    planned = plan_tasks(
        partitions, sources, known, pipeline.new_run_id(), now=now, only=only, queued=queued,
        mock_over_real=mock_over_real,
    )  # fmt: skip
    sent = [item.task.partition for item in planned]
    reported = partitions if only in ("missing", "all") else sent
    excluded = {*sent, *queued}
    states = Counter(partition_state(known.get(p), now) for p in reported if p not in excluded)
    return Backfill(
        partitions, planned, known, queued, now,
        kept_real=0 if mock_over_real else count_kept_real(sources, partitions, known, planned),
        reported=reported,
        not_attempted={state: states[state] for state in ("failed", "incomplete")},
    )  # fmt: skip
