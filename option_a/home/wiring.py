"""What every pipeline on this machine has, whether it works here or looks at a stack: settings, sources, a home."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import msgspec

from option_a.home.clock import SystemClock
from option_a.home.index import Index
from option_a.ingest.auth import Reference
from option_a.ingest.config import Sources
from option_a.ingest.errors import ConfigError, SecretError, Where
from option_a.ingest.lake import Lake
from option_a.ingest.plan import Known
from option_a.ingest.ports import DeadLetter, Secrets
from option_a.ingest.task import Task, run_id

WORKERS = 8
"""Partitions that are loaded at once."""
DEFAULT_LAKE = "./lake"
DEFAULT_HOME = "./.option-a"
DEFAULT_SOURCES = "sources.toml"


def nowhere(wanted: Reference) -> str:
    """The secrets of AWS where nothing can read them."""
    raise SecretError(
        f"aws-secret:{wanted.name} cannot be read here", hint="name it env:NAME or file:PATH on one machine"
    )


def unheard(note: str) -> None:
    """Nobody listens."""


class Settings(msgspec.Struct, frozen=True):
    """What the user chose, by option or by environment variable."""

    sources: str | None = None
    """None: `sources.toml`, and the four defaults where there is none."""
    lake: str = DEFAULT_LAKE
    home: str = DEFAULT_HOME
    stack: str | None = None
    """The deployed stack that is meant; None: this machine."""
    durable: bool = False
    workers: int = WORKERS
    elsewhere: Secrets = nowhere
    """Reads the secrets that are on no machine: those of AWS Secrets Manager."""
    note: Callable[[str], None] = unheard
    """Hears what a person should know, beside the outcome."""
    env: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(os.environ))

    @property
    def sources_file(self) -> Path:
        """Where the sources are declared; it may not be there."""
        return Path(self.sources or DEFAULT_SOURCES)


class Home(ABC):
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
    def forget_dead(self, letters: list[DeadLetter]) -> None:
        """Delete dead letters."""

    @property
    def home(self) -> Path:
        """Where the queue and the caches of this machine live."""
        return Path(self.settings.home).expanduser()

    @cached_property
    def index(self) -> Index:
        """What this home remembers of the lake."""
        return Index(self.home / "index.sqlite", self.lake)

    def known(self) -> Known:
        """The summaries of every partition in the lake."""
        return self.index.scan()

    def today(self) -> dt.date:
        """The UTC date."""
        return dt.datetime.fromtimestamp(self.clock.now(), dt.UTC).date()

    def new_run(self) -> str:
        """The id of a run that a person triggers now; of two in one second the later one sorts behind."""
        now = self.clock.now()
        return run_id(now, f"{int(now % 1 * 1_000_000):06d}-{secrets.token_hex(3)}")

    def forget_cured(self, known: Known) -> None:
        """Drop the dead letters of partitions that are complete by now, by that run or by a later one."""
        cured = [letter for letter in self.dead_letters() if letter.task is not None and _cured(letter.task, known)]
        if cured:
            self.forget_dead(cured)

    @cached_property
    def sources_text(self) -> str | None:
        """What declares the sources; None where there is no file and none was asked for. Raises ConfigError."""
        return _text(self.settings.sources_file, required=self.settings.sources is not None)


def _cured(task: Task, known: Known) -> bool:
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
