"""The hourly look at what should be complete by now."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from option_a.aws.functions.telemetry import place
from option_a.ingest.config import Source
from option_a.ingest.lake import Lake
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Summary, expected_partitions, late_partitions, partition_state, read_summaries
from option_a.ingest.ports import Clock

_READERS = 32
_TOLD = 100


class FreshnessCheck:
    """Tells which partitions are late: each source's newest one whose run has had until its `due`."""

    def __init__(self, sources: Mapping[str, Source], lake: Lake, clock: Clock, logger: Any) -> None:
        self._sources, self._lake, self._clock, self._logger = sources, lake, clock, logger

    def __call__(self) -> dict[str, Any]:
        """`{"expected": 4, "late": 1, "partitions": [{"source", "date", "state", "cause"}]}`."""
        now = self._clock.now()
        wanted = expected_partitions(list(self._sources.values()), now)
        with ThreadPoolExecutor(_READERS) as readers:
            summaries = read_summaries(self._lake, wanted, readers)
        rows = [_row(partition, summaries.get(partition), now) for partition in late_partitions(wanted, summaries, now)]
        for row in rows:
            where = place(run=row["run"] or "", source=row["source"] or "", date=row["date"])
            self._logger.warning("late", extra={**row, **where})
        return {"expected": len(wanted), "late": len(rows), "partitions": rows[:_TOLD]}


def _row(partition: Partition, summary: Summary | None, now: float) -> dict[str, str | None]:
    return {
        "source": partition.source,
        "date": partition.date.isoformat(),
        "state": partition_state(summary, now),
        "run": summary.run if summary is not None else None,
        "cause": summary.cause if summary is not None else None,
    }
