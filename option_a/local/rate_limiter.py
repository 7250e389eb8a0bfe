"""Whose turn it is to ask a source that has a rate: one SQLite file, shared by all workers of this machine."""

from __future__ import annotations

import sqlite3
import threading
from functools import cached_property
from pathlib import Path

from option_a.ingest.errors import QueueError
from option_a.ingest.ports import Clock

_BUSY = 30.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS turns (source TEXT PRIMARY KEY, free REAL NOT NULL) WITHOUT ROWID"
# a turn that lies far ahead was taken by a clock that has been set back since
_TAKE = """
INSERT INTO turns (source, free) VALUES (:source, :now + :interval)
ON CONFLICT (source) DO UPDATE SET free = max(iif(free > :far, 0, free), :now) + :interval
RETURNING free - :interval
"""
_FAR = 1_000
"""Turns ahead: more than a dozen processes with all their threads can wait for."""


class SqliteRateLimiter:
    """Satisfies the `Turns` port. Threads and processes may share the file; the first turn makes it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._lock = threading.Lock()

    def __call__(self, source: str, interval: float) -> float:
        now = self._clock.now()
        values = {"source": source, "now": now, "interval": interval, "far": now + _FAR * interval}
        try:
            with self._lock:
                turn: float = self._db.execute(_TAKE, values).fetchall()[0][0]
        except (sqlite3.Error, OSError) as error:
            hint = "delete the file: it holds nothing but whose turn it is; is the disk full, or not yours?"
            raise QueueError(f"the rate limiter {self._path}: {error}", hint=hint) from None
        return max(0.0, turn - now)

    @cached_property
    def _db(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous = OFF")  # what a crash of the machine loses is a wait
        db.execute(_SCHEMA)
        return db
