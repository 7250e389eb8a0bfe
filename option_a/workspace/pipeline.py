"""What every pipeline on this machine has, whether it works here or looks at a stack: settings, sources, a home."""

from __future__ import annotations

import datetime as dt
import secrets
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path

from option_a.ingest.config.read import Sources
from option_a.ingest.errors import ConfigError, Where
from option_a.ingest.lake.base import Lake
from option_a.ingest.plan.plan import Summaries
from option_a.ingest.ports import DeadLetter
from option_a.ingest.task import Task, run_id
from option_a.workspace.clock import SystemClock
from option_a.workspace.settings import Settings
from option_a.workspace.summary_cache import SummaryCache


class Pipeline(ABC):
    """Settings, a clock, and what this machine remembers of a lake. Nothing is opened before it is used."""

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
        """Where pages and manifests are."""

    @abstractmethod
    def dead_letters(self) -> list[DeadLetter]:
        """What could not be done."""

    @abstractmethod
    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        """Delete dead letters."""

    @property
    def home(self) -> Path:
        """Where the queue and the caches of this machine live."""
        return Path(self.settings.home).expanduser()

    @cached_property
    def index(self) -> SummaryCache:
        """What this home remembers of the lake."""
        return SummaryCache(self.home / "index.sqlite", self.lake)

    def summaries(self) -> Summaries:
        """The summaries of every partition in the lake."""
        return self.index.scan()

    def today(self) -> dt.date:
        """The UTC date."""
        return dt.datetime.fromtimestamp(self.clock.now(), dt.UTC).date()

    def new_run(self) -> str:
        """The id of a run that a person triggers now; of two in one second the later one sorts behind."""
        now = self.clock.now()
        return run_id(now, f"{int(now % 1 * 1_000_000):06d}-{secrets.token_hex(3)}")

    def drop_resolved_dead_letters(self, known: Summaries) -> None:
        """Drop the dead letters of partitions that are complete by now, by that run or by a later one."""
        cured = [letter for letter in self.dead_letters() if letter.task is not None and _cured(letter.task, known)]
        if cured:
            self.delete_dead_letters(cured)

    @cached_property
    def sources_text(self) -> str | None:
        """What declares the sources; None where there is no file and none was asked for. Raises ConfigError."""
        return _text(self.settings.sources_file, required=self.settings.sources is not None)


def _cured(task: Task, known: Summaries) -> bool:
    summary = known.get(task.partition)
    return summary is not None and summary.state == "complete" and summary.run >= task.run


def _text(path: Path, *, required: bool) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        if not required:
            return None
        raise ConfigError(
            "there is no such file", hint="name another with --sources", where=Where(file=str(path))
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=Where(file=str(path))) from None
