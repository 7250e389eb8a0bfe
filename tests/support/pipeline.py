"""A whole pipeline in one thread: memory queue, folder lake, an API that is a function, a clock that tests own."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.events import Event
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_partition, raw_prefix
from option_a.ingest.load.job import Limits, Services
from option_a.ingest.load.worker import Outcome, Worker
from option_a.ingest.manifest.model import Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.manifest.verify import Difference, Verified, unknown_objects, verify
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Clock, Queue, Request, Response
from option_a.ingest.task import Task
from tests.support.clock import FakeClock
from tests.support.inline_executor import InlineExecutor
from tests.support.queues.memory import MemoryQueue

DATE = dt.date(2023, 11, 1)
RUN = "20231114T220000Z-a"
"""A run and a date for which FakeClock's start is late enough: the date is over."""

Api = Callable[[Request], bytes | Response]
"""A body, or a whole answer where its headers matter."""


def source(**fields: object) -> Source:
    """A source that is real, dated and numbered by pages until an empty one."""
    return msgspec.convert({"name": "s", "url": "https://api.test/s", "date_param": "date", **fields}, Source)


def numbered(pages: list[list[dict[str, object]]], **more: object) -> Callable[[Request], bytes]:
    """An API of numbered pages; past the last one its pages hold no records."""

    def answer(request: Request) -> bytes:
        page = int(request.params["page"])
        data = pages[page - 1] if page <= len(pages) else []
        return msgspec.json.encode({"data": data, **more})

    return answer


def days_of(pages: int, *, size: int = 2, word: str = "a") -> list[list[dict[str, object]]]:
    """So many pages of records, no two alike; `word` tells one version of a day from another."""
    return [[{"id": f"{page}.{n}", "word": word} for n in range(size)] for page in range(1, pages + 1)]


class Ground(NamedTuple):
    """What a pipeline stands on: a lake, and the semantics of its queue."""

    lake: Lake
    queue: Callable[[Clock], MemoryQueue] = MemoryQueue


class Pipeline:
    """Plans by hand, works by `step` or `drain`, and reads back what stands in the lake."""

    def __init__(
        self,
        root: Path | Ground,
        api: Api,
        *sources: Source,
        lease: float = 30.0,
        queue: Callable[[Clock], MemoryQueue] = MemoryQueue,
    ) -> None:
        ground = Ground(FolderLake(root), queue) if isinstance(root, Path) else root
        self.clock = FakeClock()
        self.queue = ground.queue(self.clock)
        self.inbox: Queue = self.queue
        self.lake = ground.lake
        self.api = api
        self.requests: list[Request] = []
        self.answers: list[tuple[Request, Response]] = []
        self.events: list[Event] = []
        self.out_of_time = False
        self.stopping = False
        self.budget: int | None = None
        """Requests after which a delivery is out of time."""
        self._asked_before = 0
        limits = Limits(lease, self._late, lambda: self.stopping)
        self.world = Services(
            lake=self.lake,
            queue=self.queue,
            fetch=self._fetch,
            clock=self.clock,
            limits=limits,
            executor=InlineExecutor,
            jitter=lambda: 0.5,
            emit=self.events.append,
        )
        self.sources = {s.name: s for s in sources or (source(),)}
        self.worker = Worker(self.world, self.sources)

    def _fetch(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.api(request)
        response = answer if isinstance(answer, Response) else Response(200, {}, answer)
        self.answers.append((request, response))
        return response

    def _late(self) -> bool:
        spent = len(self.requests) - self._asked_before
        return self.out_of_time or (self.budget is not None and spent >= self.budget)

    def send(self, run: str = RUN, *, name: str = "s", date: dt.date = DATE, fresh: bool = False) -> None:
        """Enqueue one task."""
        self.queue.send([Task(name, date, run, fresh)])

    def step(self) -> Outcome | None:
        """Handle one delivery; None if none is visible."""
        delivery = self.inbox.receive(list(self.sources), lease=self.world.limits.lease)
        self._asked_before = len(self.requests)
        return None if delivery is None else self.worker.handle(delivery)

    def drain(self, most: int = 100) -> list[Outcome]:
        """Work until nothing is left, moving the clock to the next visible task; at most so many deliveries."""
        outcomes: list[Outcome] = []
        while self.queue.messages and len(outcomes) < most:
            outcome = self.step()
            if outcome is not None:
                outcomes.append(outcome)
            elif self.queue.messages:
                self.clock.time = max(self.clock.time, min(m.visible_at for m in self.queue.messages))
        return outcomes

    def manifest(self, name: str = "s", date: dt.date = DATE) -> Manifest:
        """The manifest as it is stored."""
        found = ManifestStore(self.lake, Partition(name, date)).read()
        assert found is not None
        return found

    def pages(self, name: str = "s", date: dt.date = DATE) -> dict[str, list[bytes]]:
        """What stands under raw/: file name to its lines."""
        prefix = raw_prefix(Partition(name, date))
        found = {}
        for entry in self.lake.entries(prefix):
            data = self.lake.get(entry.key)
            assert data is not None
            found[entry.key.rpartition("/")[2]] = gzip.decompress(data).splitlines()
        return dict(sorted(found.items()))

    def asked(self, since: int = 0) -> list[int]:
        """The numbers of the pages that were asked for, in order, but for the first so many requests."""
        return [int(request.params["page"]) for request in self.requests[since:]]

    def kinds(self) -> list[str]:
        """What was told, in order."""
        return [event.kind for event in self.events]

    def objects(self, *rooms: str) -> dict[str, bytes]:
        """Every object below these rooms of the lake (raw, manifest, staging, dead)."""
        entries = [entry for room in rooms for entry in self.lake.entries(room)]
        return {entry.key: self.lake.get(entry.key) or b"" for entry in sorted(entries, key=lambda entry: entry.key)}

    def differences(self, name: str = "s", date: dt.date = DATE) -> list[Difference]:
        """What `verify` says of one partition, and of what stands under raw/ in none."""
        found = (manifest_partition(entry.key) for entry in self.lake.entries("manifest"))
        known = {partition for partition in found if partition is not None}
        return [
            *verify(self.lake, Partition(name, date), Verified(), InlineExecutor(1)),
            *unknown_objects(self.lake, known),
        ]
