"""Reads and writes the manifest of one partition, by compare-and-swap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from option_a.ingest.errors import LeaseLost, ManifestError
from option_a.ingest.lake import Lake, manifest_key, manifest_partition, manifest_prefix, segment_key
from option_a.ingest.manifest.model import Load, Manifest, decode, encode
from option_a.ingest.manifest.rows import SEGMENT, Row, decode_rows, encode_rows
from option_a.ingest.partition import Partition

_RUN = re.compile(r"[A-Za-z0-9_-]+")


def runs_of(manifest: Manifest) -> set[str]:
    """Every run that worked on a partition: keys under staging/ contain them."""
    load, attempts = manifest.load, manifest.attempts
    named = {load.run, load.begun_by, *(attempt.run for attempt in attempts)}
    return named - {""}  # earlier versions did not record who began a load


def read_manifest(data: bytes, key: str) -> Manifest:
    """The manifest at a key, whoever wrote it. Raises ManifestError where it would lead to another partition's keys."""
    manifest = decode(data, key)
    hint = "something else wrote it: restore it from a backup, or delete it to load the partition again"
    if manifest.partition != manifest_partition(key):
        raise ManifestError(f"the manifest {key} belongs to another partition: {manifest.partition}", hint=hint)
    if not all(map(_RUN.fullmatch, runs_of(manifest))):
        raise ManifestError(f"the manifest {key} names a run that is not valid in a key", hint=hint)
    return manifest


class ManifestStore:
    """The manifest of a partition, as this process last saw it."""

    def __init__(self, lake: Lake, partition: Partition) -> None:
        self.lake = lake
        self.partition = partition
        self._key = manifest_key(partition)
        self._tag: str | None = None

    def read(self) -> Manifest | None:
        """The manifest as stored now; None for a partition that was never begun."""
        found = self.lake.read(self._key)
        if found is None:
            self._tag = None
            return None
        self._tag = found[1]
        return read_manifest(found[0], self._key)

    def write(self, manifest: Manifest) -> None:
        """Store the manifest and its full segments. Raises LeaseLost if another worker wrote it since `read`."""
        self._flush(manifest.load)
        tag = self.lake.compare_and_swap(self._key, encode(manifest), self._tag)
        if tag is None:
            raise LeaseLost(f"another worker has written the manifest of {self.partition}")
        self._tag = tag

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """Raise LeaseLost if another worker has written the manifest. In a folder none can while the fence is held."""
        with self.lake.unchanged(self._key, self._tag) as still:
            if not still:
                raise LeaseLost(f"another worker has written the manifest of {self.partition}")
            yield

    def _flush(self, load: Load) -> None:
        # keep one row more than a segment: the next page is compared with the one before it
        while load.high_water_mark - load.segments * SEGMENT > SEGMENT:
            # written before the manifest that counts it, and never changed afterwards
            self.lake.put(segment_key(self.partition, load.number, load.segments + 1), encode_rows(load.rows[:SEGMENT]))
            load.rows = load.rows[SEGMENT:]
            load.segments += 1

    def rows(self, load: Load) -> Iterator[Row]:
        """Every row of a load, by page, with one segment in memory. Raises ManifestError if a segment is missing."""
        for number in range(1, load.segments + 1):
            key = segment_key(self.partition, load.number, number)
            data = self.lake.get(key)
            if data is None:
                raise ManifestError(f"the segment {key} is missing", hint="load the partition again with --fresh")
            yield from decode_rows(data, key)
        yield from load.rows

    def delete_older_segments(self, load: Load) -> None:
        """Delete the segments of earlier loads; those of a newer load may already be there."""
        own = segment_key(self.partition, load.number, 1)
        listed = (entry.key for entry in self.lake.entries(manifest_prefix(self.partition)))
        self.lake.delete([key for key in listed if key != self._key and key < own])
