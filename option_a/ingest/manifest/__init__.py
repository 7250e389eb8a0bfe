"""A partition's manifest: its structures, its store, its lease, and the proof that the lake agrees with it."""

from __future__ import annotations

from option_a.ingest.manifest.cutoff import is_open, loaded_too_early, utc_date_end
from option_a.ingest.manifest.lease import BATCH_SIZE, Lease
from option_a.ingest.manifest.model import Anchor, Attempt, Load, Manifest, Origin, cursor_digest
from option_a.ingest.manifest.rows import Row, checksum
from option_a.ingest.manifest.store import ManifestStore, read_manifest, runs_of
from option_a.ingest.manifest.verify import Difference, Verified, unknown_objects, verify_partition

__all__ = [
    "BATCH_SIZE",
    "Anchor",
    "Attempt",
    "Difference",
    "Lease",
    "Load",
    "Manifest",
    "ManifestStore",
    "Origin",
    "Row",
    "Verified",
    "checksum",
    "cursor_digest",
    "is_open",
    "loaded_too_early",
    "read_manifest",
    "runs_of",
    "unknown_objects",
    "utc_date_end",
    "verify_partition",
]
