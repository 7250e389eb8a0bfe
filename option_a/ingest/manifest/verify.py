"""Reads the lake again and compares it with the manifests: nothing is missing, torn, doubled or unknown."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice
from typing import Literal

import msgspec
from isal import isal_zlib

from option_a.ingest.errors import ManifestError
from option_a.ingest.lake import RAW, Lake, page_key, page_number, raw_prefix
from option_a.ingest.manifest.model import Manifest
from option_a.ingest.manifest.rows import Row, checksum
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.partition import Partition

_AT_ONCE = 16

_LOAD = " (load its partition, or delete it)"

What = Literal["missing", "torn", "changed", "records", "stray", "totals", "manifest"]


class Difference(msgspec.Struct, frozen=True):
    """One difference between the lake and a manifest."""

    source: str
    date: str
    key: str
    what: What
    message: str


class Verified(msgspec.Struct):
    """What was read of one partition."""

    pages: int = 0
    records: int = 0
    bytes: int = 0


def verify_partition(lake: Lake, partition: Partition, seen: Verified, readers: Executor) -> Iterator[Difference]:
    """Every difference between a partition's pages and its manifest; `seen` counts what `readers` read.

    Of an incomplete partition only the pages in the manifest are checked: other objects are no fault.
    """
    store = ManifestStore(lake, partition)
    try:
        manifest = store.read()
        if manifest is not None:
            yield from _against(lake, store, manifest, seen, readers)
    except ManifestError as error:
        yield _difference(partition, "manifest", str(error))


def unknown_objects(lake: Lake, known: set[Partition]) -> Iterator[Difference]:
    """Objects under raw/ that belong to no partition with a manifest."""
    prefixes = {raw_prefix(partition) for partition in known}
    for entry in lake.entries(RAW):
        if entry.key.rpartition("/")[0] not in prefixes:
            yield Difference("", "", entry.key, "stray", f"{entry.key} belongs to no partition with a manifest{_LOAD}")


def _against(
    lake: Lake, store: ManifestStore, manifest: Manifest, seen: Verified, readers: Executor
) -> Iterator[Difference]:
    partition, load = manifest.partition, manifest.readable
    whole = load is not None
    load = load or manifest.load
    if load.staged and not whole:  # its pages are under staging/, and not promised yet
        return
    prefix, counted = raw_prefix(partition), Verified()
    landed = array("Q")
    for row, data in _read_ahead(lake, prefix, store.rows(load), readers):
        key = page_key(prefix, row.page)
        landed.append(row.page)
        counted.pages, counted.records = counted.pages + 1, counted.records + row.records
        counted.bytes += row.size
        for what, message in _page(data, row, seen):
            yield _difference(partition, what, f"{partition} page {row.page}: {message}", key)
    if (counted.pages, counted.records, counted.bytes) != (load.pages, load.records, load.bytes):
        yield _difference(partition, "totals", f"{partition}: the manifest's rows do not add up to its totals")
    if whole and manifest.state != "promoting":
        yield from _strays(lake, partition, landed)


def _read_ahead(lake: Lake, prefix: str, rows: Iterator[Row], readers: Executor) -> Iterator[tuple[Row, bytes | None]]:
    """Each page that has an object, with its bytes; several are read at once, because a bucket is slow."""
    full = (row for row in rows if row.records)
    while batch := list(islice(full, _AT_ONCE)):
        yield from zip(batch, readers.map(lake.get, [page_key(prefix, row.page) for row in batch]), strict=True)


def _difference(partition: Partition, what: What, message: str, key: str = "") -> Difference:
    return Difference(partition.source, partition.date.isoformat(), key, what, message)


def _strays(lake: Lake, partition: Partition, landed: Sequence[int]) -> Iterator[Difference]:
    """Objects that are none of these pages. A sorted array of numbers keeps 100,000 pages small in memory."""
    prefix = raw_prefix(partition)
    for entry in lake.entries(prefix):
        page = page_number(entry.key)
        at = bisect_left(landed, page or 0)
        if at == len(landed) or landed[at] != page or entry.key != page_key(prefix, page):
            kind = "a page that the manifest does not have" if page else "not a page"
            yield _difference(partition, "stray", f"{entry.key} is {kind}", entry.key)


def _page(data: bytes | None, row: Row, seen: Verified) -> Iterator[tuple[What, str]]:
    if data is None:
        yield "missing", "the object is missing"
        return
    seen.pages, seen.bytes = seen.pages + 1, seen.bytes + len(data)
    if checksum(data) != row.checksum:
        yield "changed", f"its checksum differs from the manifest's ({len(data)} bytes, the manifest has {row.size})"
    try:
        records = _count(data)
    except (isal_zlib.IsalError, EOFError):  # type: ignore[misc]  # the stub declares an instance
        yield "torn", "the object is not a complete gzip stream"
        return
    seen.records += records
    if records != row.records:
        yield "records", f"{records} records, the manifest has {row.records}"


def _count(data: bytes) -> int:
    """The lines of a gzipped page. Raises EOFError for a truncated stream."""
    inflater = isal_zlib.decompressobj(31)
    lines = inflater.decompress(data)
    if not inflater.eof or inflater.unused_data:
        raise EOFError
    return int(lines.count(b"\n"))
