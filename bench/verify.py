"""Is what landed what the API holds? A fast loader of wrong bytes has no figure."""

from __future__ import annotations

import gzip
from pathlib import Path

from bench.workload import DATE, SOURCES, Workload, page_file


class Mismatch(Exception):
    """A lake that differs from the API; the message names the page."""


def identical(out: Path, served: Path, workload: Workload) -> str:
    """Every page is there, no other file is, and each holds the API's records byte for byte, one a line.

    The lines joined by commas have to be exactly what stands inside `"data":[...]` of the body.
    """
    lake = out / "lake" / "raw"
    expected = {_landed(lake, source, page) for source in SOURCES for page in range(1, workload.pages + 1)}
    found = {path for path in lake.rglob("*") if path.is_file()}
    if found != expected:
        example = min(found ^ expected)
        raise Mismatch(f"{len(expected - found)} pages missing, {len(found - expected)} files too many: {example}")
    for source in SOURCES:
        for page in range(1, workload.pages + 1):
            path = _landed(lake, source, page)
            body = page_file(served, source, page).read_bytes()
            if not _same(gzip.decompress(path.read_bytes()), body, workload.records, page):
                raise Mismatch(f"{path} does not hold the records of page {page}")
    return f"{len(expected):,} pages byte-identical"


def counted(out: Path, served: Path, workload: Workload) -> str:
    """Each source has as many records as the API holds: all that is asked of peers, who write in their own way."""
    del served
    for source in SOURCES:
        folders = (out / "raw" / source, out / "raw" / f"source={source}")
        records = sum(_lines(path) for folder in folders for path in folder.rglob("*.gz"))
        if records != workload.pages * workload.records:
            raise Mismatch(f"{source}: {records:,} records landed of {workload.pages * workload.records:,}")
    return f"{workload.total_records:,} records counted"


def _landed(lake: Path, source: str, page: int) -> Path:
    return lake / f"source={source}" / f"ingestion_date={DATE}" / f"page={page:06d}.json.gz"


def _same(lines: bytes, body: bytes, records: int, page: int) -> bool:
    """Every record begins with its id, so a line broken in the wrong place shows in their count."""
    begins = (b"\n" + lines).count(b'\n{"id":')
    joined = lines[:-1].replace(b"\n", b",")
    whole = body.startswith(b'{"data":[' + joined + b'],"page":%d,' % page)
    return whole and lines.endswith(b"}\n") and lines.count(b"\n") == begins == records


def _lines(path: Path) -> int:
    """Counted as it streams: what is held here would be added to the memory of the next child."""
    with gzip.open(path) as file:
        return sum(1 for _ in file)
