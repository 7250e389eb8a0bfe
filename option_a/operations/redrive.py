"""Plans a redrive: the failed partitions to load again, by their manifests and dead letters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

import msgspec

from option_a.ingest.config import Sources
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Planned, Summaries, redrive_tasks
from option_a.ingest.ports import DeadLetter
from option_a.workspace.pipeline import Pipeline


class Redrive(msgspec.Struct, frozen=True):
    """The tasks that a redrive sends, and the dead letters that they replace."""

    planned: list[Planned]
    letters: list[DeadLetter]
    """To delete once the tasks are sent; includes those of past snapshots."""
    past_snapshots: list[Partition]
    """Failed and lost: a snapshot can be taken only on its own day."""


def plan_redrive(pipeline: Pipeline, names: Collection[str], date: dt.date | None, cause: str | None) -> Redrive:
    """Plan the load of these sources' failed partitions, filtered by date and kind of cause if given."""
    letters, known = pipeline.dead_letters(), pipeline.summaries()
    failed = select_failed(known, letters, names, date, cause)
    past = past_snapshots(failed, pipeline.sources, pipeline.today())
    planned = redrive_tasks((p for p in failed if p not in past), known, letters, pipeline.new_run_id())
    return Redrive(planned, [letter for letter in letters if letter.task and letter.task.partition in failed], past)


def select_failed(
    known: Summaries, letters: Iterable[DeadLetter], names: Collection[str], date: dt.date | None, cause: str | None
) -> list[Partition]:
    """The partitions that failed by their manifest or a dead letter, and match the filters."""
    return sorted(
        partition
        for partition, kinds in failure_kinds(known, letters).items()
        if partition.source in names and date in (None, partition.date) and (cause is None or cause in kinds)
    )


def failure_kinds(known: Summaries, letters: Iterable[DeadLetter]) -> dict[Partition, set[str]]:
    """Each failed partition and the kinds of its causes."""
    kinds: dict[Partition, set[str]] = {}
    for partition, summary in known.items():
        if summary.state == "failed":
            kinds.setdefault(partition, set()).add(summary.cause_kind or "")
    for letter in letters:
        if letter.task is not None:
            kinds.setdefault(letter.task.partition, set()).add(letter.cause.kind)
    return kinds


def past_snapshots(partitions: Iterable[Partition], declared: Sources, today: dt.date) -> list[Partition]:
    """The partitions that are snapshots of another day."""
    return [p for p in partitions if declared[p.source].snapshot and p.date != today]
