"""The summaries of all manifests of a lake, cached, so that a look reads only what changed since the last one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from option_a.ingest.errors import ManifestError
from option_a.ingest.lake import Entry, Lake
from option_a.ingest.layout import MANIFEST, Partition, manifest_partition
from option_a.ingest.manifest import decode
from option_a.ingest.summary import Summary, summarize

_SCHEMA = "CREATE TABLE IF NOT EXISTS summaries (lake TEXT, key TEXT, mark TEXT, summary BLOB, PRIMARY KEY (lake, key))"
_STRUCTURES = (
    "CREATE TABLE IF NOT EXISTS structures (lake TEXT, partition TEXT, mark TEXT, structure TEXT, "
    "PRIMARY KEY (lake, partition))"
)
_READERS = 16
_FEW = 16


class Index:
    """The cache, in a file that may be deleted at any time."""

    def __init__(self, path: Path, lake: Lake) -> None:
        self._path = path
        self._lake = lake

    def scan(self) -> dict[Partition, Summary]:
        """Every partition that has a manifest."""
        listed = {entry.key: entry for entry in self._lake.entries(MANIFEST) if manifest_partition(entry.key)}
        if not listed and not self._path.exists():
            return {}  # a look at nothing leaves nothing behind
        with _open(self._path) as db:
            cached = {
                key: (mark, summary)
                for key, mark, summary in db.execute(
                    "SELECT key, mark, summary FROM summaries WHERE lake = ?", (self._lake.name,)
                )
            }
            known = {
                key: msgspec.json.decode(cached[key][1], type=Summary)
                for key, entry in listed.items()
                if key in cached and cached[key][0] == entry.mark
            }
            fresh = self._read([entry for key, entry in listed.items() if key not in known])
            self._store(db, listed, fresh, gone=cached.keys() - listed.keys())
        return {summary.partition: summary for summary in (known | fresh).values()}

    def _read(self, entries: list[Entry]) -> dict[str, Summary]:
        if len(entries) <= _FEW:
            found = [self._summary(entry.key) for entry in entries]
        else:
            with ThreadPoolExecutor(_READERS) as readers:
                found = list(readers.map(self._summary, [entry.key for entry in entries]))
        return {entry.key: summary for entry, summary in zip(entries, found, strict=True) if summary is not None}

    def _summary(self, key: str) -> Summary | None:
        data = self._lake.get(key)
        if data is None:
            return None
        try:
            return summarize(decode(data, key))
        except ManifestError as error:
            return _unreadable(key, error)

    def _store(
        self, db: sqlite3.Connection, listed: dict[str, Entry], fresh: dict[str, Summary], *, gone: set[str]
    ) -> None:
        if not fresh and not gone:
            return
        name = self._lake.name
        rows = [(name, key, listed[key].mark, msgspec.json.encode(summary)) for key, summary in fresh.items()]
        with db:
            db.executemany("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)", rows)
            db.executemany("DELETE FROM summaries WHERE lake = ? AND key = ?", [(name, key) for key in gone])


class Structures:
    """What the records of each partition look like, as the query room learnt it. Satisfies its `Memory`."""

    def __init__(self, path: Path, lake: Lake) -> None:
        self._path = path
        self._lake = lake

    def get(self, partition: Partition, summary: Summary) -> str | None:
        """What was learnt of it, if it has not changed since."""
        wanted = (self._lake.name, partition.path, _mark(summary))
        with _open(self._path) as db:
            sql = "SELECT structure FROM structures WHERE lake = ? AND partition = ? AND mark = ?"
            found = db.execute(sql, wanted).fetchone()
        return None if found is None else str(found[0])

    def put(self, partition: Partition, summary: Summary, structure: str) -> None:
        """Remember it."""
        row = (self._lake.name, partition.path, _mark(summary), structure)
        with _open(self._path) as db, db:
            db.execute("INSERT OR REPLACE INTO structures VALUES (?, ?, ?, ?)", row)


def _mark(summary: Summary) -> str:
    return f"{summary.run} {summary.records} {summary.bytes}"


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """The cache's file; where it cannot be had, a cache for this look alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=30)
        db.execute(_SCHEMA)
        db.execute(_STRUCTURES)
    except (OSError, sqlite3.Error):
        db = sqlite3.connect(":memory:")
        db.execute(_SCHEMA)
        db.execute(_STRUCTURES)
    with closing(db):
        yield db


def _unreadable(key: str, error: ManifestError) -> Summary:
    partition = manifest_partition(key)
    assert partition is not None
    return Summary(
        source=partition.source,
        date=partition.date,
        state="failed",
        run="",
        origin="real",
        pages=0,
        records=0,
        bytes=0,
        started=0.0,
        cause=str(error),
        cause_kind=error.kind,
    )
