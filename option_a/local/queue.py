"""A queue for each source in one SQLite file, with the semantics of SQS, shared by any number of processes.

A task is a row. Receiving hides it for a lease and counts the receipt; a worker that dies leaves the row, and it is
visible again when the lease is over: the visibility timeout is the recovery, so there is no sweeper and no pid file.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from option_a.ingest.errors import QueueError
from option_a.ingest.partition import Partition
from option_a.ingest.ports import EXHAUSTED, Cause, Clock, DeadLetter, Depth
from option_a.ingest.task import Delivery, Task, encode_task, read_task
from option_a.local import queue_sql as sql

_BUSY = 30.0
"""Seconds to wait for another process's transaction."""
_CACHE = 16_000
"""Kilobytes: with SQLite's own 2 MB a plan of 100,000 tasks writes the pages of its indexes again and again."""
_AWAY = "move it away and run again; the manifests know what is missing"
_HINTS = (
    (("locked",), "another process keeps it: end the one that hangs or is stopped; nothing is lost"),
    (("malformed", "not a database"), f"the file is damaged: {_AWAY}"),
    (("no such column", "has no column", "no such table"), f"it is another program's, or a later version's: {_AWAY}"),
)
_HINT = "is the disk full, read-only or not yours? another --home makes a new queue; the lake is not touched"


class SqliteQueue:
    """Satisfies the `Queue` port. Threads and processes may share the file."""

    def __init__(self, path: Path, clock: Clock, *, durable: bool = False, busy: float = _BUSY) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=busy, isolation_level=None, check_same_thread=False)
            _write_ahead(self._db, busy)
            self._db.execute(f"PRAGMA cache_size = -{_CACHE}")
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._db.executescript(sql.SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        now = self._clock.now()
        with self._transaction() as db:
            return sum(db.execute(sql.SEND, _row(task, now, now + delay)).rowcount for task in tasks)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        now = self._clock.now()
        with self._transaction() as db:
            self._bury_exhausted(db, now)
            statement = sql.RECEIVE.format(sources=", (?)" * len(queues))
            row = db.execute(statement, (*queues, secrets.token_hex(8), now + lease, now)).fetchone()
        return None if row is None else Delivery(queue=row[0], receipt=row[3], body=row[1], receives=row[2])

    def ack(self, delivery: Delivery) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM tasks WHERE receipt = ?", (delivery.receipt,))

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        visible = self._clock.now() + seconds
        with self._transaction() as db:
            changed = db.execute("UPDATE tasks SET visible_at = ? WHERE receipt = ?", (visible, delivery.receipt))
            return changed.rowcount == 1

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO dead (source, date, run, body, died_at, receives, cause) "
                "SELECT source, date, run, body, ?, receives, ? FROM tasks WHERE receipt = ?",
                (self._clock.now(), msgspec.json.encode(cause), delivery.receipt),
            )
            db.execute("DELETE FROM tasks WHERE receipt = ?", (delivery.receipt,))

    def give_back(self, delivery: Delivery) -> None:
        """As if it had not been received: what kept it from being worked on was no fault of the task's."""
        with self._transaction() as db:
            db.execute(
                "UPDATE tasks SET visible_at = ?, receives = receives - 1, receipt = NULL WHERE receipt = ?",
                (self._clock.now(), delivery.receipt),
            )

    def depth(self) -> list[Depth]:
        """What each queue holds, by name; a queue that holds nothing is left out."""
        with self._transaction() as db:
            live = {row[0]: row[1:] for row in db.execute(sql.DEPTH, {"now": self._clock.now()})}
            dead = dict(db.execute("SELECT source, count(*) FROM dead GROUP BY source").fetchall())
        none = (0, 0, 0, None)
        return [
            Depth(name, visible, delayed, in_flight, dead.get(name, 0), oldest)
            for name in sorted(live.keys() | dead.keys())
            for visible, delayed, in_flight, oldest in [live.get(name, none)]
        ]

    def has_tasks(self, queues: Sequence[str]) -> bool:
        """Whether any of these queues has a live task; it costs the same however many there are."""
        statement = f"SELECT 1 FROM tasks WHERE source IN ({', '.join('?' * len(queues))}) LIMIT 1"
        with self._transaction() as db:
            return db.execute(statement, queues).fetchone() is not None

    def in_other_hands(self, queues: Sequence[str]) -> tuple[str, float] | None:
        """Of the tasks in a worker's hands the one that is visible again first: its queue, and when that is."""
        statement = sql.HELD.format(sources=", ".join("?" * len(queues)))
        with self._transaction() as db:
            row: tuple[str, float] | None = db.execute(statement, (*queues, self._clock.now())).fetchone()
        return row

    def queued(self) -> set[Partition]:
        """The partitions that have a live task."""
        with self._transaction() as db:
            return {task.partition for (body,) in db.execute("SELECT body FROM tasks") if (task := read_task(body))}

    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter, the oldest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id, source, body, died_at, receives, cause FROM dead ORDER BY died_at, id"
            ).fetchall()
        return [
            DeadLetter(
                source, str(number), body, died_at, receives, msgspec.json.decode(cause, type=Cause), read_task(body)
            )
            for number, source, body, died_at, receives, cause in rows
        ]

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Delete dead letters."""
        with self._transaction() as db:
            db.executemany("DELETE FROM dead WHERE id = ?", [(int(letter.receipt),) for letter in letters])

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        """Take back the tasks of a source's dates (inclusive): how many, and how many are in flight and stay."""
        now = self._clock.now()
        within = "source = ? AND date BETWEEN ? AND ?"
        with self._transaction() as db:
            flying = db.execute(
                f"SELECT count(*) FROM tasks WHERE {within} AND receipt IS NOT NULL AND visible_at > ?",
                (source, first, last, now),
            ).fetchone()[0]
            taken = db.execute(
                f"DELETE FROM tasks WHERE {within} AND NOT (receipt IS NOT NULL AND visible_at > ?)",
                (source, first, last, now),
            ).rowcount
        return taken, flying

    def _bury_exhausted(self, db: sqlite3.Connection, now: float) -> None:
        """What was received so often and never done is dead, as SQS has it: at the next look, not by a timer."""
        if db.execute(sql.EXHAUSTED, {"now": now, "cause": msgspec.json.encode(EXHAUSTED)}).rowcount:
            db.execute(sql.FORGET_EXHAUSTED, {"now": now})

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            hint = next((hint for words, hint in _HINTS if any(word in str(error) for word in words)), _HINT)
            raise QueueError(f"the queue {self._path}: {error}", hint=hint) from None


def _write_ahead(db: sqlite3.Connection, busy: float) -> None:
    """Write ahead. Of two processes that make the file at once SQLite lets one wait for nothing: so it waits here."""
    deadline = time.monotonic() + busy
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def _row(task: Task, now: float, visible: float) -> dict[str, object]:
    return {
        "source": task.source, "date": task.day, "run": task.run, "hop": task.requeues,
        "body": encode_task(task), "now": now, "visible": visible,
    }  # fmt: skip
