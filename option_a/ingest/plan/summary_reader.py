"""Reads the summaries of partitions that are named, where listing the whole lake would be too much."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from itertools import islice

from option_a.ingest.errors import ManifestError
from option_a.ingest.lake import Lake, manifest_key
from option_a.ingest.manifest import read_manifest
from option_a.ingest.partition import Partition
from option_a.ingest.plan.summary import Summary, summarize, unreadable_summary

_BATCH_SIZE = 1_000
"""Partitions that are asked for at once: a future each would fill a small function's memory."""


def read_summaries(lake: Lake, partitions: Iterable[Partition], readers: Executor) -> dict[Partition, Summary]:
    """The summaries of those that have a manifest; one that cannot be read is failed, with that as its cause."""
    summaries: dict[Partition, Summary] = {}
    rest = iter(partitions)
    while batch := list(islice(rest, _BATCH_SIZE)):
        read = zip(batch, readers.map(lambda partition: _read(lake, partition), batch), strict=True)
        summaries |= {partition: summary for partition, summary in read if summary is not None}
    return summaries


def _read(lake: Lake, partition: Partition) -> Summary | None:
    key = manifest_key(partition)
    data = lake.get(key)
    try:
        return None if data is None else summarize(read_manifest(data, key))
    except ManifestError as error:
        return unreadable_summary(partition, error)
