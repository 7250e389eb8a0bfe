"""Storage that refuses from its n-th call on, until it is mended: by the errors of the kernel and of SQLite."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from option_a.ingest.errors import LakeError, OptionAError, QueueError
from option_a.ingest.events import ignore_events
from option_a.ingest.lake.base import Entry
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.load.job import Limits, Services
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.manifest.verify import Verified, unknown_objects, verify
from option_a.ingest.partition import Partition
from option_a.ingest.plan.plan import plan
from option_a.ingest.ports import Cause, Clock, Request, Response
from option_a.ingest.task import Delivery, decode_task
from option_a.local.worker_pool import WorkerPool
from option_a.workspace.summary_cache import SummaryCache
from tests.support.clock import FakeClock
from tests.support.inline_executor import InlineExecutor
from tests.support.pipeline import DATE, Api, source
from tests.support.queues.sqlite import SeenQueue

LEASE = 15.0
SECONDS = 6.0
"""That an answer takes: so a load of a few pages is written down on the way."""
DATES = [Partition("s", DATE), Partition("s", DATE.replace(day=2))]
WRITES = frozenset({"write"})
CHANGES = frozenset({"write", "delete"})
ALL = frozenset({"write", "delete", "read", "list", "lock"})


class Fault(msgspec.Struct, frozen=True):
    """What is refused, and how: by the lake with `number`, by the queue with `text` (or by whoever holds its lock)."""

    name: str
    calls: frozenset[str]
    number: int = 0
    text: str = ""

    def __str__(self) -> str:
        return self.name


LAKE_FAULTS = [
    Fault("the disk full", WRITES, errno.ENOSPC),
    Fault("the quota used up", WRITES, errno.EDQUOT),
    Fault("the disk read-only", CHANGES, errno.EROFS),
    Fault("the lake forbidden", ALL, errno.EACCES),
    Fault("the disk failing", ALL, errno.EIO),
    Fault("no more open files", ALL, errno.EMFILE),
]
LOCKED = Fault("the queue locked", frozenset({"queue"}))
QUEUE_FAULTS = [
    LOCKED,
    Fault("the queue's disk full", frozenset({"queue"}), text="database or disk is full"),
    Fault("the queue read-only", frozenset({"queue"}), text="attempt to write a readonly database"),
    Fault("the queue's disk failing", frozenset({"queue"}), text="disk I/O error"),
    Fault("the queue damaged", frozenset({"queue"}), text="database disk image is malformed"),
]


class Trouble:
    """One fault from a call on that it can hit, until `mend`."""

    def __init__(self, fault: Fault) -> None:
        self.fault, self.at, self.lasts = fault, 0, False
        self.hit: list[str] = []
        """Every call that the fault could have hit since it was armed, in order."""

    def arm(self, at: int) -> None:
        """From the `at`-th call on, counted from now (0: never)."""
        self.at, self.hit = at, []

    def refuses(self, call: str, what: str) -> bool:
        """Whether this call is refused."""
        if call in self.fault.calls:
            self.hit.append(f"{call} {what}")
            self.lasts = self.lasts or len(self.hit) == self.at
        return self.lasts and call in self.fault.calls

    def mend(self) -> None:
        """The fault is gone, and does not come again."""
        self.lasts, self.at = False, 0


class AilingLake(FolderLake):
    """A write is refused when its bytes are on the disk and not yet in their place."""

    def __init__(self, root: Path, trouble: Trouble) -> None:
        super().__init__(root)
        self._trouble = trouble

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._errors("read", key):
            self._ail("read", key)
        return super().read(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._errors("list", prefix):
            self._ail("list", prefix)
        yield from super().entries(prefix)

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._errors("lock", key):
            self._ail("lock", key)
        with super().unchanged(key, tag) as still:
            yield still

    def _delete(self, keys: list[str]) -> None:
        with self._errors("delete", keys[0]):
            self._ail("delete", keys[0])
        super()._delete(keys)

    def _rename(self, temporary: str, path: str) -> None:
        self._ail("write", path)
        super()._rename(temporary, path)

    def _ail(self, call: str, what: str) -> None:
        if self._trouble.refuses(call, what):
            raise OSError(self._trouble.fault.number, os.strerror(self._trouble.fault.number))


class AilingQueue(SeenQueue):
    """A transaction is refused at its begin or at its end; a lock is held by another connection, as by a process."""

    def __init__(self, path: Path, clock: Clock, trouble: Trouble) -> None:
        super().__init__(path, clock, busy=0.01)
        self._trouble, self._file, self._moved = trouble, path, clock
        self.acks: list[tuple[Partition, bool]] = []
        """Of each ack, and of each burial, whether the fault lasted."""

    def ack(self, delivery: Delivery) -> None:
        super().ack(delivery)
        self.acks.append((decode_task(delivery.body).partition, self._trouble.lasts))

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        super().dead_letter(delivery, cause)
        self.acks.append((decode_task(delivery.body).partition, self._trouble.lasts))

    def holds(self, queues: Sequence[str]) -> bool:
        """Nobody is at work: the clock moves to when something is visible."""
        left, visible = super().has_tasks(queues), self.next_visible()
        if isinstance(self._moved, FakeClock) and visible is not None:
            self._moved.time = max(self._moved.time, visible)
        return left

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        refused = self._trouble.refuses("queue", "begin")
        with self._locked(refused), self._errors():
            self._ail(refused)
            with super()._transaction() as db:
                yield db
                self._ail(self._trouble.fault is not LOCKED and self._trouble.refuses("queue", "commit"))

    def _ail(self, refused: bool) -> None:
        if refused and self._trouble.fault is not LOCKED:
            raise sqlite3.OperationalError(self._trouble.fault.text)

    @contextmanager
    def _locked(self, refused: bool) -> Iterator[None]:
        if not refused or self._trouble.fault is not LOCKED:
            yield
            return
        with closing(sqlite3.connect(self._file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield


class StoppableClock(FakeClock):
    """A clock that a pool may stop, and a later run starts again."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True

    def stopping(self) -> bool:
        return self.stopped


class EagerPool(WorkerPool):
    """Waits for its threads alone: the clock moves by itself."""

    def _wait(self) -> BaseException | None:
        return super()._wait() if self._busy else None


class Machine:
    """One machine's planner, pool, queue and folder, in one thread after another; `api` answers for its one source."""

    def __init__(self, root: Path, api: Api, fault: Fault) -> None:
        self.api, self.trouble, self.clock = api, Trouble(fault), StoppableClock()
        self.root, self.lake = root, AilingLake(root / "lake", self.trouble)
        self.queue = AilingQueue(root / "queue.sqlite", self.clock, self.trouble)
        self.seconds, self.sent = SECONDS, False
        self._index = SummaryCache(root / "index.sqlite", self.lake)
        self._sources = {"s": source(pagination={"style": "page", "total_pages": "total_pages"}, parallel=2)}
        limits = Limits(LEASE, stopping=self.clock.stopping)
        self._world = Services(
            self.lake, self.queue, self._fetch, self.clock, limits, InlineExecutor, lambda: 0.5, ignore_events
        )  # fmt: skip

    def _fetch(self, request: Request) -> Response:
        self.clock.time += self.seconds
        answer = self.api(request)
        return answer if isinstance(answer, Response) else Response(200, {}, answer)

    def plan(self, run: str, *, fresh: bool) -> None:
        """Enqueue what the two dates need and is not queued."""
        known, queued = self._index.scan(), self.queue.queued()
        planned = plan(DATES, self._sources, known, run, now=self.clock.now(), fresh=fresh, queued=queued)
        self.queue.send([item.task for item in planned])
        self.sent = True

    def work(self) -> None:
        """Work the queue off, as the command does."""
        self.clock.stopped = False
        worker = Worker(self._world, self._sources)
        EagerPool(worker, self.queue, self.lake, self.clock, ignore_events, threads=1, lease=LEASE).drain(["s"])  # type: ignore[arg-type]

    def acked(self) -> set[Partition]:
        """What was enqueued and stands nowhere in the queue any more, though nobody acked it before the fault."""
        with closing(sqlite3.connect(self.root / "queue.sqlite")) as db:
            bodies = db.execute("SELECT body FROM tasks UNION ALL SELECT body FROM dead").fetchall()
        there = {decode_task(body).partition for (body,) in bodies}
        before = {partition for partition, lasted in self.queue.acks if not lasted}
        return set(DATES) - there - before if self.sent else set()

    def looks(self) -> dict[str, Callable[[], object]]:
        """What the other commands read and write."""
        letters = self.queue.dead_letters()
        return {
            "what is known": self._index.scan,
            "verify": lambda: list(verify(self.lake, DATES[0], Verified(), InlineExecutor(1))),
            "strangers": lambda: list(unknown_objects(self.lake, set())),
            "logs": ManifestStore(self.lake, DATES[0]).read,
            "depth": self.queue.depth,
            "queued": self.queue.queued,
            "dead letters": self.queue.dead_letters,
            "redrive": lambda: self.queue.delete_dead_letters(letters),
            "cancel": lambda: self.queue.cancel("s", "2023-01-01", "2023-12-31"),
        }  # fmt: skip

    def stands(self) -> dict[str, object]:
        """All that must be the same whatever happened on the way."""
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
            "differences": [d for p in DATES for d in verify(self.lake, p, Verified(), InlineExecutor(1))],
        }  # fmt: skip


def unclear(error: OptionAError, *places: str) -> list[str]:
    """What an error of storage fails to say: where it is, in one line, and the way out."""
    said = {
        "is the storage's own": isinstance(error, LakeError | QueueError),
        "says where": any(place in error.what for place in places),
        "is one line": "\n" not in error.what,
        "says what to do": bool(error.hint),
    }
    return [name for name, holds in said.items() if not holds]
