"""The keys of the lake: a contract that users' queries depend on (docs/lake.md)."""

from __future__ import annotations

import datetime as dt
import re

from option_a.ingest.partition import SOURCE, Partition

RAW = "raw"
MANIFEST = "manifest"
STAGING = "staging"
DEAD = "dead"
CONTROL = "control"

_PAGE = re.compile(r"page=(?!0{6}\.)([0-9]{6}|[1-9][0-9]{6,17})\.json\.gz")

_MANIFEST = re.compile(rf"manifest/source=({SOURCE})/ingestion_date=(\d{{4}}-\d\d-\d\d)/manifest\.json")


def raw_prefix(partition: Partition) -> str:
    """Where the pages of a partition live."""
    return f"{RAW}/{partition.path}"


def staging_prefix(partition: Partition, run: str) -> str:
    """Where a re-load of a complete partition is made before it is promoted."""
    return f"{STAGING}/{run}/{partition.path}"


def page_key(prefix: str, page: int) -> str:
    """The object of page n, n from 1, under `raw_prefix` or `staging_prefix`."""
    return f"{prefix}/page={page:06d}.json.gz"


def page_number(key: str) -> int | None:
    """The page that a key under a partition holds; None for a key that is no page's."""
    match = _PAGE.fullmatch(key.rpartition("/")[2])
    return int(match[1]) if match else None


def manifest_prefix(partition: Partition) -> str:
    """Where the manifest of a partition lives."""
    return f"{MANIFEST}/{partition.path}"


def manifest_key(partition: Partition) -> str:
    """The manifest itself."""
    return f"{manifest_prefix(partition)}/manifest.json"


def manifest_partition(key: str) -> Partition | None:
    """The partition whose manifest the key holds; None for a segment or anything else."""
    match = _MANIFEST.fullmatch(key)
    if match is None:
        return None
    try:
        return Partition(match[1], dt.date.fromisoformat(match[2]))
    except ValueError:
        return None


def segment_key(partition: Partition, load: int, number: int) -> str:
    """Segment `number` (from 1) of the partition's n-th load: 1,000 rows, written once. Keys sort by load."""
    return f"{manifest_prefix(partition)}/segment-{load:06d}-{number:06d}.json"


def breaker_key(source: str) -> str:
    """The breaker of a source."""
    return f"{CONTROL}/source={source}/breaker.json"


def dead_key(partition: Partition, run: str, page: int) -> str:
    """Where the exact bytes of a body that could not be decoded are kept."""
    return f"{DEAD}/{partition.path}/run={run}/page={page:06d}.body"
