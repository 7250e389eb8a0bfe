"""Puts the pipeline together for one machine: sources.toml, a lake, an embedded queue, threads."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import secrets
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from threading import BoundedSemaphore

import msgspec

from option_a.ingest.config import Sources, read_sources
from option_a.ingest.errors import ConfigError, Where
from option_a.ingest.events import Tell, silent
from option_a.ingest.folder import FolderLake
from option_a.ingest.heap import keep_buffers
from option_a.ingest.job import Limits, World
from option_a.ingest.lake import Lake
from option_a.ingest.lakes import open_lake
from option_a.ingest.layout import Partition
from option_a.ingest.plan import Known
from option_a.ingest.ports import DeadLetter, Fetch, Request, Response
from option_a.ingest.task import Task, run_id
from option_a.ingest.work import Worker
from option_a.local.clock import SystemClock
from option_a.local.index import Index
from option_a.local.pool import Pool
from option_a.local.queue import SqliteQueue

LEASE = 15.0
"""Seconds after which a killed worker's task is taken over; a living one renews it every five."""
WORKERS = 8
"""Partitions that are loaded at once."""
DEFAULT_SOURCES = "sources.toml"


class Settings(msgspec.Struct, frozen=True):
    """What the user chose, by option or by environment variable."""

    sources: str | None = None
    """None: `sources.toml`, and the four defaults where there is none."""
    lake: str = "./lake"
    home: str = "./.option-a"
    durable: bool = False
    workers: int = WORKERS
    env: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(os.environ))


class Local:
    """The pipeline on one machine. Nothing is opened before it is used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()

    @cached_property
    def sources(self) -> Sources:
        """The declared sources. Raises ConfigError."""
        file = self.settings.sources or DEFAULT_SOURCES
        return read_sources(_text(Path(file), required=self.settings.sources is not None), self.settings.env, file)

    @cached_property
    def lake(self) -> Lake:
        return open_lake(self.settings.lake, self.settings.env, durable=self.settings.durable)

    @property
    def home(self) -> Path:
        """Where the queue and the caches of this lake live."""
        return Path(self.settings.home).expanduser()

    @cached_property
    def queue(self) -> SqliteQueue:
        """The queue; its file is made if there is none. Raises QueueError."""
        return SqliteQueue(self._queue_file, self.clock, durable=self.settings.durable)

    @property
    def has_queue(self) -> bool:
        """Whether a queue was ever made here: looking must not make one."""
        return self._queue_file.exists()

    @property
    def _queue_file(self) -> Path:
        """One queue a lake: a task says what to load and not where to."""
        digest = hashlib.sha256(self.lake.name.encode()).hexdigest()[:8]
        return self.home / f"queue-{digest}.sqlite"

    def known(self) -> Known:
        """The summaries of every partition in the lake."""
        return self.index.scan()

    @cached_property
    def index(self) -> Index:
        """What this home remembers of the lake."""
        return Index(self.home / "index.sqlite", self.lake)

    def today(self) -> dt.date:
        """The UTC date."""
        return dt.datetime.fromtimestamp(self.clock.now(), dt.UTC).date()

    def new_run(self) -> str:
        """The id of a run that a person triggers now; of two in one second the later one sorts behind."""
        now = self.clock.now()
        return run_id(now, f"{int(now % 1 * 1_000_000):06d}-{secrets.token_hex(3)}")

    def queued(self) -> set[Partition]:
        """The partitions that have a live task."""
        return self.queue.queued() if self.has_queue else set()

    def dead_letters(self) -> list[DeadLetter]:
        """What could not be done."""
        return self.queue.dead_letters() if self.has_queue else []

    def forget_cured(self, known: Known) -> None:
        """Drop the dead letters of partitions that are complete by now, by that run or by a later one."""
        cured = [letter for letter in self.dead_letters() if letter.task is not None and _cured(letter.task, known)]
        if cured:
            self.queue.forget_dead(cured)

    def work(self, sources: Iterable[str], tell: Tell = silent) -> None:
        """Work the queues of these sources off."""
        if isinstance(self.lake, FolderLake):
            self.lake.sweep()
        keep_buffers()
        worker = Worker(self._world(tell), self.sources)
        pool = Pool(worker, self.queue, self.lake, self.clock, tell, threads=self.settings.workers, lease=LEASE)
        pool.drain(list(sources))

    def _world(self, tell: Tell) -> World:
        return World(
            lake=self.lake,
            queue=self.queue,
            fetch=self.fetch(),
            clock=self.clock,
            limits=Limits(lease=LEASE, stopping=self.clock.stopping),
            executor=ThreadPoolExecutor,
            jitter=random.random,
            tell=tell,
        )

    def fetch(self) -> Fetch:
        """Asks real APIs over HTTP and mock ones in this process; of one source `parallel` requests at once."""
        return _Polite(_Router(self), {name: source.parallel for name, source in self.sources.items()})


class _Router:
    """Hands a request to the fetch of its origin, which is made when the first one comes."""

    def __init__(self, local: Local) -> None:
        self._local = local

    @cached_property
    def _real(self) -> Fetch:
        from option_a.ingest.fetch import HttpFetch

        widest = max(source.parallel for source in self._local.sources.values())
        return HttpFetch(self._local.clock, connections=max(16, widest))

    @cached_property
    def _mock(self) -> Fetch:
        from option_a.ingest.mock import MockFetch

        return MockFetch()

    def __call__(self, request: Request) -> Response:
        real = self._local.sources[request.source].origin == "real"
        return self._real(request) if real else self._mock(request)


class _Polite:
    """Keeps the requests in flight to one source at its `parallel`, however many partitions of it are loaded."""

    def __init__(self, fetch: Fetch, parallel: Mapping[str, int]) -> None:
        self._fetch = fetch
        self._places = {name: BoundedSemaphore(most) for name, most in parallel.items()}

    def __call__(self, request: Request) -> Response:
        with self._places[request.source]:
            return self._fetch(request)


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
