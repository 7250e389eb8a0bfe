"""What the commands act on: this machine, or a stack on AWS, which is imported only when one is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Protocol

from option_a.ingest.config.read import Sources
from option_a.ingest.errors import ConfigError
from option_a.ingest.events import EventSink
from option_a.ingest.lake.base import Lake
from option_a.ingest.partition import Partition
from option_a.ingest.plan.plan import Summaries
from option_a.ingest.ports import DeadLetter, Depth
from option_a.ingest.task import Task
from option_a.workspace.clock import SystemClock
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.aws.stack.pipeline import StackPipeline
    from option_a.local.pipeline import LocalPipeline


class Pipeline(Protocol):
    """A lake, its sources and its queues, wherever the work is done."""

    clock: SystemClock
    stopping: str
    """What a person who asks to stop is told at once."""
    stopped: str
    """What is told at the end to somebody who asked to stop."""

    @property
    def settings(self) -> Settings: ...

    @property
    def sources(self) -> Sources: ...

    @property
    def lake(self) -> Lake: ...

    def summaries(self) -> Summaries: ...

    def today(self) -> dt.date: ...

    def new_run(self) -> str: ...

    def queued(self) -> set[Partition]:
        """The partitions that have a live task, as far as that can be told."""

    def left(self, sources: Collection[str], asked: Collection[Partition]) -> set[Partition]:
        """What an earlier run left, and `work` will see through beside the tasks that are sent now."""

    def send(self, tasks: Iterable[Task]) -> None: ...

    def work(self, sources: Collection[str], partitions: Collection[Partition], tell: EventSink) -> None:
        """Until the queues of these sources are empty; or, where others work, until these partitions have ended."""

    def depths(self) -> list[Depth]: ...

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]: ...

    def dead_letters(self) -> list[DeadLetter]: ...

    def delete_dead_letters(self, letters: list[DeadLetter]) -> None: ...

    def drop_resolved_dead_letters(self, known: Summaries) -> None: ...


def open_pipeline(settings: Settings) -> Pipeline:
    """The pipeline that the options describe. Raises ConfigError."""
    return open_local(settings) if settings.stack is None else open_stack(settings)


def open_local(settings: Settings) -> LocalPipeline:
    """The pipeline on this machine."""
    from option_a.local.pipeline import LocalPipeline

    return LocalPipeline(settings)


def open_stack(settings: Settings) -> StackPipeline:
    """The pipeline of a stack. Raises ConfigError where the library for AWS is not installed."""
    try:
        import boto3  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        raise ConfigError("--stack needs boto3", hint="pip install -r requirements.txt") from None
    from option_a.aws.stack.pipeline import StackPipeline

    return StackPipeline(settings)
