"""A lake and a queue that fail from their n-th call until repaired, with the errors of the kernel and of SQLite."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from option_a.ingest.errors import LakeError, OptionAError, QueueError
from option_a.ingest.lake.base import Entry
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Cause, Clock
from option_a.ingest.task import Delivery, decode_task
from tests.support.clock import FakeClock
from tests.support.queues.sqlite import InspectableSqliteQueue

WRITES = frozenset({"write"})
CHANGES = frozenset({"write", "delete"})
ALL = frozenset({"write", "delete", "read", "list", "lock"})


class StorageFault(msgspec.Struct, frozen=True):
    """Which calls fail, and how: in the lake with errno `number`, in the queue with `text` or a lock held elsewhere."""

    name: str
    calls: frozenset[str]
    number: int = 0
    text: str = ""

    def __str__(self) -> str:
        return self.name


LAKE_FAULTS = [
    StorageFault("the disk full", WRITES, errno.ENOSPC),
    StorageFault("the quota used up", WRITES, errno.EDQUOT),
    StorageFault("the disk read-only", CHANGES, errno.EROFS),
    StorageFault("the lake forbidden", ALL, errno.EACCES),
    StorageFault("the disk failing", ALL, errno.EIO),
    StorageFault("no more open files", ALL, errno.EMFILE),
]
LOCKED = StorageFault("the queue locked", frozenset({"queue"}))
QUEUE_FAULTS = [
    LOCKED,
    StorageFault("the queue's disk full", frozenset({"queue"}), text="database or disk is full"),
    StorageFault("the queue read-only", frozenset({"queue"}), text="attempt to write a readonly database"),
    StorageFault("the queue's disk failing", frozenset({"queue"}), text="disk I/O error"),
    StorageFault("the queue damaged", frozenset({"queue"}), text="database disk image is malformed"),
]


class FaultInjector:
    """Makes calls fail from the n-th one the fault can hit, until `repair`."""

    def __init__(self, fault: StorageFault) -> None:
        self.fault, self.at, self.active = fault, 0, False
        self.candidates: list[str] = []
        """Every call the fault could have hit since it was armed, in order."""

    def arm(self, at: int) -> None:
        """Fail from the `at`-th call on, counted from now (0: never)."""
        self.at, self.candidates = at, []

    def rejects(self, call: str, what: str) -> bool:
        """Whether this call fails."""
        if call in self.fault.calls:
            self.candidates.append(f"{call} {what}")
            self.active = self.active or len(self.candidates) == self.at
        return self.active and call in self.fault.calls

    def repair(self) -> None:
        """End the fault for good."""
        self.active, self.at = False, 0


class FailingLake(FolderLake):
    """Fails writes when the bytes are on the disk but not yet renamed into place."""

    def __init__(self, root: Path, injector: FaultInjector) -> None:
        super().__init__(root)
        self._injector = injector

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._errors("read", key):
            self._fail_if_armed("read", key)
        return super().read(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._errors("list", prefix):
            self._fail_if_armed("list", prefix)
        yield from super().entries(prefix)

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._errors("lock", key):
            self._fail_if_armed("lock", key)
        with super().unchanged(key, tag) as still:
            yield still

    def _delete(self, keys: list[str]) -> None:
        with self._errors("delete", keys[0]):
            self._fail_if_armed("delete", keys[0])
        super()._delete(keys)

    def _rename(self, temporary: str, path: str) -> None:
        self._fail_if_armed("write", path)
        super()._rename(temporary, path)

    def _fail_if_armed(self, call: str, what: str) -> None:
        if self._injector.rejects(call, what):
            raise OSError(self._injector.fault.number, os.strerror(self._injector.fault.number))


class FailingQueue(InspectableSqliteQueue):
    """Fails transactions at their begin or commit; a lock is held by another connection, as by another process."""

    def __init__(self, path: Path, clock: Clock, injector: FaultInjector) -> None:
        super().__init__(path, clock, busy=0.01)
        self._injector, self._file, self._fake_clock = injector, path, clock
        self.acks: list[tuple[Partition, bool]] = []
        """For each ack and each dead letter, whether the fault was active."""

    def ack(self, delivery: Delivery) -> None:
        super().ack(delivery)
        self.acks.append((decode_task(delivery.body).partition, self._injector.active))

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        super().dead_letter(delivery, cause)
        self.acks.append((decode_task(delivery.body).partition, self._injector.active))

    def has_tasks(self, queues: Sequence[str]) -> bool:
        """Called by an idle pool: also moves the clock to when the next task is visible."""
        left, visible = super().has_tasks(queues), self.next_visible()
        if isinstance(self._fake_clock, FakeClock) and visible is not None:
            self._fake_clock.time = max(self._fake_clock.time, visible)
        return left

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        refused = self._injector.rejects("queue", "begin")
        with self._locked(refused), self._errors():
            self._fail_if_armed(refused)
            with super()._transaction() as db:
                yield db
                self._fail_if_armed(self._injector.fault is not LOCKED and self._injector.rejects("queue", "commit"))

    def _fail_if_armed(self, refused: bool) -> None:
        if refused and self._injector.fault is not LOCKED:
            raise sqlite3.OperationalError(self._injector.fault.text)

    @contextmanager
    def _locked(self, refused: bool) -> Iterator[None]:
        if not refused or self._injector.fault is not LOCKED:
            yield
            return
        with closing(sqlite3.connect(self._file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield


def message_gaps(error: OptionAError, *places: str) -> list[str]:
    """The rules that a storage error's message breaks: it names the place, in one line, and the way out."""
    said = {
        "is the storage's own": isinstance(error, LakeError | QueueError),
        "says where": any(place in error.what for place in places),
        "is one line": "\n" not in error.what,
        "says what to do": bool(error.hint),
    }
    return [name for name, holds in said.items() if not holds]
