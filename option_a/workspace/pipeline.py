"""The pipeline that commands act on: this machine or a deployed stack, one subclass each."""

from __future__ import annotations

import datetime as dt
import secrets
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path

from option_a.ingest.config import Sources
from option_a.ingest.events import EventSink
from option_a.ingest.lake import Lake
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Summaries
from option_a.ingest.ports import DeadLetter, Depth
from option_a.ingest.task import Task, run_id
from option_a.workspace.clock import SystemClock
from option_a.workspace.settings import Settings
from option_a.workspace.summary_cache import SummaryCache
from option_a.workspace.text_file import read_text


class Pipeline(ABC):
    """Sources, a lake and queues, with this machine's settings and caches. Everything is opened on first use."""

    stopping_message: str
    """Shown when the user asks to stop."""
    stopped_message: str
    """Shown once the work has stopped."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()

    @property
    @abstractmethod
    def sources(self) -> Sources:
        """The declared sources. Raises ConfigError."""

    @property
    @abstractmethod
    def lake(self) -> Lake:
        """Where pages and manifests are stored."""

    @abstractmethod
    def queued(self) -> set[Partition]:
        """The partitions with a live task, as far as the queue can list them."""

    @abstractmethod
    def pending(self, sources: Collection[str], requested: Collection[Partition]) -> set[Partition]:
        """The partitions that `work` will finish besides the tasks about to be sent."""

    @abstractmethod
    def send(self, tasks: Iterable[Task]) -> None:
        """Enqueue tasks."""

    @abstractmethod
    def work(self, sources: Collection[str], partitions: Collection[Partition], emit: EventSink) -> None:
        """Block until the queues of these sources are empty or, on a stack, until these partitions have ended."""

    @abstractmethod
    def depths(self) -> list[Depth]:
        """The depth of each queue that is not empty."""

    @abstractmethod
    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        """Remove a source's tasks of these dates (inclusive). Returns how many, and how many are in flight and stay."""

    @abstractmethod
    def dead_letters(self) -> list[DeadLetter]:
        """The tasks that failed for good, with their causes."""

    @abstractmethod
    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Delete dead letters."""

    @property
    def home(self) -> Path:
        """Where this machine keeps its queue and its caches."""
        return Path(self.settings.home).expanduser()

    @cached_property
    def summary_cache(self) -> SummaryCache:
        """The cached summaries of the lake's manifests."""
        return SummaryCache(self.home / "index.sqlite", self.lake)

    def summaries(self) -> Summaries:
        """The summaries of every partition in the lake."""
        return self.summary_cache.scan()

    def today(self) -> dt.date:
        """The UTC date."""
        return dt.datetime.fromtimestamp(self.clock.now(), dt.UTC).date()

    def new_run_id(self) -> str:
        """The id of a run that starts now; ids of the same second sort by their microseconds."""
        now = self.clock.now()
        return run_id(now, f"{int(now % 1 * 1_000_000):06d}-{secrets.token_hex(3)}")

    def drop_resolved_dead_letters(self, known: Summaries) -> None:
        """Delete the dead letters of partitions that the same run or a later one completed."""
        resolved = [letter for letter in self.dead_letters() if letter.task and _is_resolved(letter.task, known)]
        if resolved:
            self.delete_dead_letters(resolved)

    @cached_property
    def sources_text(self) -> str | None:
        """The text of the sources file; None if the default file does not exist. Raises ConfigError."""
        return read_text(self.settings.sources_file, "--sources", required=self.settings.sources is not None)


def _is_resolved(task: Task, known: Summaries) -> bool:
    summary = known.get(task.partition)
    return summary is not None and summary.state == "complete" and summary.run >= task.run
