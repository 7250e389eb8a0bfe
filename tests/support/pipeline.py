"""A whole pipeline in one thread, for most tests: memory queue, folder lake, a function as its API, a fake clock."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.events import Event
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_partition, raw_prefix
from option_a.ingest.load.services import Limits, Services
from option_a.ingest.load.worker import Outcome, Worker
from option_a.ingest.manifest.model import Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.manifest.verify import Difference, Verified, unknown_objects, verify_partition
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Clock, Queue, Request, Response
from option_a.ingest.task import Task
from tests.support.clock import FakeClock
from tests.support.inline_executor import InlineExecutor
from tests.support.queues.memory import MemoryQueue

DATE = dt.date(2023, 11, 1)
RUN = "20231114T220000Z-a"
"""A run and a date that is over when FakeClock starts."""

ApiFunction = Callable[[Request], bytes | Response]
"""Returns a body, or a complete response if its headers matter."""


def source(**fields: object) -> Source:
    """A dated source of real data, paginated by number until an empty page."""
    return msgspec.convert({"name": "s", "url": "https://api.test/s", "date_param": "date", **fields}, Source)


def numbered_pages(pages: list[list[dict[str, object]]], **more: object) -> Callable[[Request], bytes]:
    """An API of numbered pages; those past the last are empty."""

    def answer(request: Request) -> bytes:
        page = int(request.params["page"])
        data = pages[page - 1] if page <= len(pages) else []
        return msgspec.json.encode({"data": data, **more})

    return answer


def make_pages(pages: int, *, size: int = 2, word: str = "a") -> list[list[dict[str, object]]]:
    """This many pages of distinct records; `word` tells one version of a day from another."""
    return [[{"id": f"{page}.{n}", "word": word} for n in range(size)] for page in range(1, pages + 1)]


class Backend(NamedTuple):
    """What a pipeline runs on: a lake, and the class of its queue."""

    lake: Lake
    queue: Callable[[Clock], MemoryQueue] = MemoryQueue


class Pipeline:
    """Enqueues with `send`, works with `step` or `drain`, and reads back what is in the lake."""

    def __init__(
        self,
        root: Path | Backend,
        api: ApiFunction,
        *sources: Source,
        lease: float = 30.0,
        queue: Callable[[Clock], MemoryQueue] = MemoryQueue,
    ) -> None:
        backend = Backend(FolderLake(root), queue) if isinstance(root, Path) else root
        self.clock = FakeClock()
        self.queue = backend.queue(self.clock)
        self.inbox: Queue = self.queue
        self.lake = backend.lake
        self.api = api
        self.requests: list[Request] = []
        self.answers: list[tuple[Request, Response]] = []
        self.events: list[Event] = []
        self.out_of_time = False
        self.stopping = False
        self.budget: int | None = None
        """The number of requests after which a delivery is out of time."""
        self._asked_before = 0
        limits = Limits(lease, self._late, lambda: self.stopping)
        self.services = Services(
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
        self.worker = Worker(self.services, self.sources)

    def replace_services(self, **changes: Any) -> None:
        """Replace some services, and the worker with one that uses them."""
        self.services = msgspec.structs.replace(self.services, **changes)
        self.worker = Worker(self.services, self.sources)

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
        delivery = self.inbox.receive(list(self.sources), lease=self.services.limits.lease)
        self._asked_before = len(self.requests)
        return None if delivery is None else self.worker.handle(delivery)

    def drain(self, most: int = 100) -> list[Outcome]:
        """Work until no task is left, moving the clock to the next visible one; at most this many deliveries."""
        outcomes: list[Outcome] = []
        while self.queue.messages and len(outcomes) < most:
            outcome = self.step()
            if outcome is not None:
                outcomes.append(outcome)
            elif self.queue.messages:
                self.clock.time = max(self.clock.time, min(m.visible_at for m in self.queue.messages))
        return outcomes

    def manifest(self, name: str = "s", date: dt.date = DATE) -> Manifest:
        """The stored manifest."""
        found = ManifestStore(self.lake, Partition(name, date)).read()
        assert found is not None
        return found

    def pages(self, name: str = "s", date: dt.date = DATE) -> dict[str, list[bytes]]:
        """The pages under raw/: file name to lines."""
        prefix = raw_prefix(Partition(name, date))
        found = {}
        for entry in self.lake.entries(prefix):
            data = self.lake.get(entry.key)
            assert data is not None
            found[entry.key.rpartition("/")[2]] = gzip.decompress(data).splitlines()
        return dict(sorted(found.items()))

    def asked(self, since: int = 0) -> list[int]:
        """The numbers of the requested pages, in order, without the first `since` requests."""
        return [int(request.params["page"]) for request in self.requests[since:]]

    def kinds(self) -> list[str]:
        """The kinds of the emitted events, in order."""
        return [event.kind for event in self.events]

    def objects(self, *prefixes: str) -> dict[str, bytes]:
        """Every object under these prefixes of the lake (raw, manifest, staging, dead)."""
        entries = [entry for prefix in prefixes for entry in self.lake.entries(prefix)]
        return {entry.key: self.lake.get(entry.key) or b"" for entry in sorted(entries, key=lambda entry: entry.key)}

    def differences(self, name: str = "s", date: dt.date = DATE) -> list[Difference]:
        """What `verify` reports for one partition, and objects under raw/ that belong to none."""
        found = (manifest_partition(entry.key) for entry in self.lake.entries("manifest"))
        known = {partition for partition in found if partition is not None}
        return [
            *verify_partition(self.lake, Partition(name, date), Verified(), InlineExecutor(1)),
            *unknown_objects(self.lake, known),
        ]
