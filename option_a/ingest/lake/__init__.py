"""The lake: its keys, and objects in a folder or a bucket, changed by compare-and-swap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import (
    CONTROL,
    DEAD,
    MANIFEST,
    RAW,
    STAGING,
    breaker_key,
    dead_key,
    manifest_key,
    manifest_partition,
    manifest_prefix,
    page_key,
    page_number,
    raw_prefix,
    segment_key,
    staging_prefix,
)
from option_a.ingest.lake.open import open_lake, plain_http

if TYPE_CHECKING:
    from option_a.ingest.lake.bucket import BucketLake

__all__ = [
    "CONTROL",
    "DEAD",
    "MANIFEST",
    "RAW",
    "STAGING",
    "BucketLake",
    "Entry",
    "FolderLake",
    "Lake",
    "breaker_key",
    "dead_key",
    "manifest_key",
    "manifest_partition",
    "manifest_prefix",
    "open_lake",
    "page_key",
    "page_number",
    "plain_http",
    "raw_prefix",
    "segment_key",
    "staging_prefix",
]


def __getattr__(name: str) -> type[BucketLake]:
    """`BucketLake` is imported when it is first used: it needs obstore, which takes a while to import."""
    if name != "BucketLake":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from option_a.ingest.lake.bucket import BucketLake

    return BucketLake
