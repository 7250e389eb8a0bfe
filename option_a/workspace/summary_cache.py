"""A cache of a lake's summaries, so that a scan reads only the manifests that changed since the last one."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec

from option_a.ingest.errors import ManifestError
from option_a.ingest.jsontext import UNDECODABLE
from option_a.ingest.lake import MANIFEST, Entry, Lake, manifest_partition
from option_a.ingest.manifest import read_manifest
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Summary, summarize, unreadable_summary

_SCHEMA = """
CREATE TABLE IF NOT EXISTS summaries (lake TEXT, key TEXT, mark TEXT, summary BLOB, PRIMARY KEY (lake, key));
CREATE TABLE IF NOT EXISTS structures (
    lake TEXT, partition TEXT, mark TEXT, structure TEXT, PRIMARY KEY (lake, partition)
);
"""
_READERS = 16
_MAX_SERIAL = 16  # so many manifests are read without threads


class SummaryCache:
    """The summaries of a lake's manifests and the structures of its records, kept in an SQLite file.

    If the file cannot be read, written or decoded, everything is read from the lake instead.
    """

    def __init__(self, path: Path, lake: Lake) -> None:
        self._path = path
        self._lake = lake

    def scan(self) -> dict[Partition, Summary]:
        """Every partition with a manifest. Reads only the manifests that changed since the last scan."""
        listed = {entry.key: entry for entry in self._lake.entries(MANIFEST) if manifest_partition(entry.key)}
        if not listed and not self._path.exists():
            return {}  # an empty lake leaves no cache file behind
        cached = self._cached()
        known = {key: cached[key][1] for key, entry in listed.items() if key in cached and cached[key][0] == entry.mark}
        fresh = self._read([entry for key, entry in listed.items() if key not in known])
        rows = [(self._lake.name, key, listed[key].mark, msgspec.json.encode(found)) for key, found in fresh.items()]
        gone = [(self._lake.name, key) for key in cached.keys() - listed.keys()]
        self._store("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)", rows)
        self._store("DELETE FROM summaries WHERE lake = ? AND key = ?", gone)
        return {summary.partition: summary for summary in (known | fresh).values()}

    def recall(self, wanted: Mapping[Partition, Summary]) -> dict[Partition, str]:
        """The stored structures of these partitions, as far as they are up to date."""
        rows = self._rows("SELECT partition, mark, structure FROM structures WHERE lake = ?")
        by_path = {(path, mark): structure for path, mark, structure in rows}
        found = {p: by_path.get((p.path, _mark(summary))) for p, summary in wanted.items()}
        return {partition: structure for partition, structure in found.items() if structure is not None}

    def remember(self, structures: Mapping[Partition, tuple[Summary, str]]) -> None:
        """Store the structures of these partitions' records."""
        rows = [(self._lake.name, p.path, _mark(summary), text) for p, (summary, text) in structures.items()]
        self._store("INSERT OR REPLACE INTO structures VALUES (?, ?, ?, ?)", rows)

    def _cached(self) -> dict[str, tuple[str, Summary]]:
        rows = self._rows("SELECT key, mark, summary FROM summaries WHERE lake = ?")
        try:
            return {key: (mark, msgspec.json.decode(summary, type=Summary)) for key, mark, summary in rows}
        except UNDECODABLE:
            return {}  # written by another version

    def _read(self, entries: list[Entry]) -> dict[str, Summary]:
        if len(entries) <= _MAX_SERIAL:
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
            return summarize(read_manifest(data, key))
        except ManifestError as error:
            partition = manifest_partition(key)
            assert partition is not None
            return unreadable_summary(partition, error)

    def _rows(self, sql: str) -> list[Any]:
        try:
            with closing(self._open()) as db:
                return db.execute(sql, (self._lake.name,)).fetchall()
        except (OSError, sqlite3.Error):
            return []

    def _store(self, sql: str, rows: list[Any]) -> None:
        if rows:
            with suppress(OSError, sqlite3.Error), closing(self._open()) as db, db:
                db.executemany(sql, rows)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=30)
        db.executescript(_SCHEMA)
        return db


def _mark(summary: Summary) -> str:
    return f"{summary.run} {summary.records} {summary.bytes}"
