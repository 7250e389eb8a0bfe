"""The state of one partition, as all operations report it."""

from __future__ import annotations

from typing import Any

import msgspec

from option_a.ingest.partition import Partition
from option_a.ingest.plan import PartitionState, Summaries, Summary, partition_state

_SUMMARY_FIELDS = (
    "run", "origin", "pages", "records", "bytes", "started", "finished", "restated", "restated_pages", "cause",
    "cause_kind", "message",
)  # fmt: skip


class PartitionStatus(msgspec.Struct, frozen=True):
    """A partition, its derived state and its summary; `summary` is None if it is missing."""

    partition: Partition
    state: PartitionState
    summary: Summary | None = None
    note: str = ""
    """Why it failed or waits, or what a reload changed."""

    @property
    def is_complete(self) -> bool:
        """Whether its last load is complete; `open` counts as complete."""
        return self.state in ("complete", "open")

    @property
    def cause(self) -> str | None:
        """Why it failed, by its manifest."""
        return self.summary.cause if self.summary is not None else None

    def to_json(self) -> dict[str, Any]:
        """The row of --json."""
        row = {"source": self.partition.source, "date": self.partition.date, "state": self.state}
        if self.summary is None:
            return row
        return row | {field: getattr(self.summary, field) for field in _SUMMARY_FIELDS}


def status_of(partition: Partition, known: Summaries, now: float, outage: str = "") -> PartitionStatus:
    """The status of a partition; `outage` is the current fault of its source, if any."""
    summary = known.get(partition)
    note = _note(summary, outage) if summary is not None else ""
    return PartitionStatus(partition, partition_state(summary, now), summary, note)


def _note(summary: Summary, outage: str) -> str:
    waiting = outage if summary.state not in ("complete", "failed") else ""
    restated = f"restated {summary.restated} pages" if summary.restated else ""
    return summary.cause or summary.message or waiting or restated
