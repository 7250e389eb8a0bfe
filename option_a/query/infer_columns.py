"""Learns what the records of a source look like: each partition is looked at once, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Protocol

import duckdb
import msgspec

from option_a.ingest.partition import Partition
from option_a.ingest.plan import Summaries, Summary
from option_a.query import views
from option_a.query.structure import Structure, merge

SAMPLE_BYTES = 128 * 2**20
"""Compressed bytes, about, that one query looks at to learn a source's columns; the next one goes on from there."""
_DATES = 64

Note = Callable[[str], None]


class Memory(Protocol):
    """Remembers the structure of a partition's records for as long as its summary stays the same."""

    def recall(self, wanted: Mapping[Partition, Summary]) -> dict[Partition, str]: ...

    def remember(self, structures: Mapping[Partition, tuple[Summary, str]]) -> None: ...


def infer_structures(
    db: duckdb.DuckDBPyConnection,
    summaries: Summaries,
    memory: Memory,
    paths: list[str],
    partitions: list[Partition],
    note: Note,
) -> Structure:
    """The structure that holds the records of all partitions, or of the first of them if there are too many."""
    found = memory.recall({partition: summaries[partition] for partition in partitions})
    unseen = [partition for partition in partitions if partition not in found]
    looked_at = 0
    while unseen and looked_at < SAMPLE_BYTES:
        batch, unseen = unseen[:_DATES], unseen[_DATES:]
        looked_at += sum(summaries[partition].bytes for partition in batch)
        learnt = _look(db, paths, batch)
        memory.remember({partition: (summaries[partition], structure) for partition, structure in learnt.items()})
        found |= learnt
    if unseen:
        note(f"the columns are those of {len(found)} of {len(partitions)} dates; declare `columns` to fix them")
    return reduce(merge, map(msgspec.json.decode, found.values()), "NULL")


def _look(db: duckdb.DuckDBPyConnection, paths: list[str], batch: list[Partition]) -> dict[Partition, str]:
    sql = views.structures(paths, [partition.date.isoformat() for partition in batch])
    by_date: dict[str, str] = dict(db.execute(sql).fetchall())
    return {p: by_date[p.date.isoformat()] for p in batch if p.date.isoformat() in by_date}
