"""Sends the tasks of a request, and reports the state of the lake afterwards."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec

from option_a.ingest.config import Source
from option_a.ingest.partition import Partition
from option_a.ingest.plan import UNFINISHED_STATES, Planned, Summaries, Summary, unfinished_partitions
from option_a.ingest.ports import DeadLetter
from option_a.operations.partition_status import PartitionStatus, status_of
from option_a.workspace.pipeline import Pipeline


class Submission(msgspec.Struct, frozen=True):
    """What was sent, and what else must be awaited."""

    sent: set[Partition]
    tasks: int
    pending: set[Partition]
    """Queued or in progress before the tasks were sent."""
    reported: list[Partition]
    """The partitions whose outcome is reported, in this order."""

    @property
    def awaited(self) -> list[Partition]:
        """The partitions that `Pipeline.work` finishes."""
        return list(self.sent | self.pending)

    @property
    def left_over(self) -> int:
        """How many pending partitions got no new task."""
        return len(self.pending - self.sent)


class Outcome(msgspec.Struct, frozen=True):
    """The states of the reported partitions, and by state how many others of the same sources are unfinished."""

    partitions: list[PartitionStatus]
    not_requested: dict[str, int]

    @property
    def incomplete(self) -> list[PartitionStatus]:
        """The partitions that are not complete."""
        return [status for status in self.partitions if not status.is_complete]

    @property
    def ok(self) -> bool:
        """Whether every reported partition is complete."""
        return not self.incomplete

    @property
    def summaries(self) -> list[Summary]:
        """The summaries of the partitions with a manifest."""
        return [status.summary for status in self.partitions if status.summary is not None]


class Failure(msgspec.Struct, frozen=True):
    """A partition that is not complete, and why. If `cause` is None, a redrive would not find it."""

    partition: Partition
    cause: str | None


def submit(
    pipeline: Pipeline, planned: Sequence[Planned], reported: Iterable[Partition], names: Collection[str],
    letters: Sequence[DeadLetter] = (),
) -> Submission:  # fmt: skip
    """Send the planned tasks, then delete the dead letters that they replace."""
    sent = [item.task.partition for item in planned]
    requested = list(dict.fromkeys([*reported, *sent]))
    pending = pipeline.pending(names, requested)
    if planned:
        pipeline.send([item.task for item in planned])
    if letters:
        pipeline.delete_dead_letters(letters)
    return Submission(set(sent), len(planned), pending, list(dict.fromkeys([*requested, *sorted(pending)])))


def read_outcome(pipeline: Pipeline, partitions: Iterable[Partition], names: Iterable[str]) -> Outcome:
    """The outcome by the lake's current state. Raises LakeError."""
    return _outcome(pipeline, partitions, names, pipeline.summaries())


def finish(pipeline: Pipeline, partitions: Iterable[Partition], names: Iterable[str]) -> Outcome:
    """The same, after deleting the dead letters of partitions that are complete now."""
    known = pipeline.summaries()
    pipeline.drop_resolved_dead_letters(known)
    return _outcome(pipeline, partitions, names, known)


def _outcome(pipeline: Pipeline, partitions: Iterable[Partition], names: Iterable[str], known: Summaries) -> Outcome:
    now = pipeline.clock.now()
    reported = list(partitions)
    others = count_others([pipeline.sources[name] for name in names], reported, pipeline.today(), known, now)
    return Outcome([status_of(partition, known, now) for partition in reported], others)


def count_others(
    sources: Collection[Source], requested: Iterable[Partition], today: dt.date, known: Summaries, now: float
) -> dict[str, int]:
    """How many partitions besides the requested ones are failed, incomplete or missing."""
    excluded = set(requested)
    states = unfinished_partitions(sources, today, known, now)
    counts = Counter(state for partition, state in states.items() if partition not in excluded)
    return {state: counts[state] for state in UNFINISHED_STATES}


def explain_failures(outcome: Outcome, letters: Iterable[DeadLetter]) -> list[Failure]:
    """Each partition that is not complete, with the cause in its manifest or else in its dead letter."""
    causes = {letter.task.partition: letter.cause.message for letter in letters if letter.task is not None}
    return [Failure(status.partition, status.cause or causes.get(status.partition)) for status in outcome.incomplete]
