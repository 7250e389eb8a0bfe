"""A whole local pipeline on failing storage, in one thread, for tests/prove/test_storage.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from option_a.ingest.events import ignore_events
from option_a.ingest.load.services import Limits, Services
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.manifest.verify import Verified, unknown_objects, verify_partition
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import plan_tasks
from option_a.ingest.ports import Request, Response
from option_a.ingest.task import decode_task
from option_a.local.worker_pool import WorkerPool
from option_a.workspace.summary_cache import SummaryCache
from tests.support.clock import FakeClock
from tests.support.crashes.failing_storage import FailingLake, FailingQueue, FaultInjector, StorageFault
from tests.support.inline_executor import InlineExecutor
from tests.support.pipeline import DATE, ApiFunction, source

LEASE = 15.0
SECONDS = 6.0
"""What a response takes, so that a load of a few pages reaches a checkpoint on the way."""
DATES = [Partition("s", DATE), Partition("s", DATE.replace(day=2))]


class StoppableClock(FakeClock):
    """A clock that a pool may stop and a later run starts again."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True

    def stopping(self) -> bool:
        return self.stopped


class EagerPool(WorkerPool):
    """Waits for nothing but its threads: the clock moves by itself."""

    def _wait(self) -> BaseException | None:
        return super()._wait() if self._busy else None


class LocalMachine:
    """One machine's planner, worker pool, queue and lake folder; `api` serves its only source."""

    def __init__(self, root: Path, api: ApiFunction, fault: StorageFault) -> None:
        self.api, self.injector, self.clock = api, FaultInjector(fault), StoppableClock()
        self.root, self.lake = root, FailingLake(root / "lake", self.injector)
        self.queue = FailingQueue(root / "queue.sqlite", self.clock, self.injector)
        self.seconds, self.sent = SECONDS, False
        self._cache = SummaryCache(root / "index.sqlite", self.lake)
        self._sources = {"s": source(pagination={"style": "page", "total_pages": "total_pages"}, parallel=2)}
        limits = Limits(LEASE, stopping=self.clock.stopping)
        self._services = Services(
            self.lake, self.queue, self._fetch, self.clock, limits, InlineExecutor, lambda: 0.5, ignore_events
        )  # fmt: skip

    def _fetch(self, request: Request) -> Response:
        self.clock.time += self.seconds
        answer = self.api(request)
        return answer if isinstance(answer, Response) else Response(200, {}, answer)

    def plan(self, run: str, *, fresh: bool) -> None:
        """Enqueue what the two dates need and is not queued yet."""
        known, queued = self._cache.scan(), self.queue.queued()
        planned = plan_tasks(DATES, self._sources, known, run, now=self.clock.now(), fresh=fresh, queued=queued)
        self.queue.send([item.task for item in planned])
        self.sent = True

    def work(self) -> None:
        """Work the queue off, as `option-a run` does."""
        self.clock.stopped = False
        worker = Worker(self._services, self._sources)
        EagerPool(worker, self.queue, self.lake, self.clock, ignore_events, threads=1, lease=LEASE).drain(["s"])  # type: ignore[arg-type]

    def acked(self) -> set[Partition]:
        """The enqueued partitions missing from the queue although nobody acked them before the fault."""
        with closing(sqlite3.connect(self.root / "queue.sqlite")) as db:
            bodies = db.execute("SELECT body FROM tasks UNION ALL SELECT body FROM dead").fetchall()
        there = {decode_task(body).partition for (body,) in bodies}
        before = {partition for partition, lasted in self.queue.acks if not lasted}
        return set(DATES) - there - before if self.sent else set()

    def other_commands(self) -> dict[str, Callable[[], object]]:
        """What other commands do to lake and queue, by name."""
        letters = self.queue.dead_letters()
        return {
            "what is known": self._cache.scan,
            "verify": lambda: list(verify_partition(self.lake, DATES[0], Verified(), InlineExecutor(1))),
            "strangers": lambda: list(unknown_objects(self.lake, set())),
            "logs": ManifestStore(self.lake, DATES[0]).read,
            "depth": self.queue.depth,
            "queued": self.queue.queued,
            "dead letters": self.queue.dead_letters,
            "redrive": lambda: self.queue.delete_dead_letters(letters),
            "cancel": lambda: self.queue.cancel("s", "2023-01-01", "2023-12-31"),
        }  # fmt: skip

    def end_state(self) -> dict[str, object]:
        """Everything that must be the same whatever happened on the way."""
        manifests, letters = (
            [ManifestStore(self.lake, partition).read() for partition in DATES],
            self.queue.dead_letters(),
        )
        objects = {e.key: self.lake.get(e.key) for room in ("raw", "dead") for e in self.lake.entries(room)}
        return {
            "objects": objects,
            "states": [
                m and (m.state, m.lease, m.load.pages, m.load.records, m.cause and m.cause.kind) for m in manifests
            ],
            "dead": sorted((str(letter.task and letter.task.partition), letter.cause.kind) for letter in letters),
            "queued": self.queue.queued(),
            "half made": [path.name for path in (self.root / "lake/staging").rglob("*") if path.is_file()],
            "differences": [d for p in DATES for d in verify_partition(self.lake, p, Verified(), InlineExecutor(1))],
        }  # fmt: skip
