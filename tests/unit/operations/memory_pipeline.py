"""A pipeline whose summaries and queues are plain data, and that records what it is asked to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.events import EventSink
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import Summaries
from option_a.ingest.plan.summary import Summary
from option_a.ingest.ports import Cause, DeadLetter, Depth
from option_a.ingest.task import Task
from option_a.workspace.clock import SystemClock
from option_a.workspace.pipeline import Pipeline
from option_a.workspace.settings import Settings
from tests.support.pipeline import source

TODAY = dt.date(2026, 11, 24)
YESTERDAY = TODAY - dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC).timestamp()
RUN = "20261123T010000Z-a"


def snapshot(name: str) -> Source:
    """A source without dates."""
    return msgspec.convert({"name": name, "url": f"https://api.test/{name}"}, Source)


def known(*summaries: Summary) -> dict[Partition, Summary]:
    """Summaries by their partition."""
    return {summary.partition: summary for summary in summaries}


def summary(date: dt.date = YESTERDAY, name: str = "s", **fields: Any) -> Summary:
    """A complete load of real data, unless fields say otherwise."""
    return msgspec.structs.replace(Summary(name, date, "complete", RUN, "real", 2, 30, 400, 0.0), **fields)


def dead_letter(
    date: dt.date = YESTERDAY, name: str = "s", kind: str = "http", message: str = "HTTP 401"
) -> DeadLetter:
    """A dead letter of a partition's task."""
    return DeadLetter(name, "receipt", b"{}", NOW, 1, Cause(kind, message), Task(name, date, RUN))


UNREADABLE = DeadLetter("s", "receipt", b"?", NOW, 5, Cause("message", "not a task"))


class FixedClock(SystemClock):
    """A clock that stands still."""

    def now(self) -> float:
        return NOW


class MemoryPipeline(Pipeline):
    """Holds what a test puts into it. `calls` records what changes something, in order."""

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Source] = (),
        summaries: Summaries | None = None,
        queued: Iterable[Partition] = (),
        depths: Iterable[Depth] = (),
        letters: Iterable[DeadLetter] = (),
    ) -> None:
        super().__init__(Settings(lake=str(folder), home=str(folder), env={}))
        self.clock = FixedClock()
        self._folder, self._sources, self._summaries = folder, sources or [source()], summaries or {}
        self._queued, self._depths, self._letters = set(queued), list(depths), list(letters)
        self.calls: list[tuple[str, Any]] = []

    @property
    def sources(self) -> dict[str, Source]:
        return {source.name: source for source in self._sources}

    @cached_property
    def lake(self) -> FolderLake:
        return FolderLake(self._folder)

    def summaries(self) -> Summaries:
        return self._summaries

    def queued(self) -> set[Partition]:
        return self._queued

    def pending(self, sources: Collection[str], requested: Collection[Partition]) -> set[Partition]:
        return {partition for partition in self._queued if partition.source in sources}

    def send(self, tasks: Iterable[Task]) -> None:
        self.calls.append(("send", [task.partition for task in tasks]))

    def work(self, sources: Collection[str], partitions: Collection[Partition], emit: EventSink) -> None:
        self.calls.append(("work", list(partitions)))

    def depths(self) -> list[Depth]:
        return self._depths

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        self.calls.append(("cancel", (source, first, last)))
        return 2, 1

    def dead_letters(self) -> list[DeadLetter]:
        return self._letters

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        self.calls.append(("delete", list(letters)))
