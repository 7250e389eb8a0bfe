"""A partition's state in a few fields: what `status`, `plan` and the table after a run need of a manifest. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Literal

import msgspec

from option_a.ingest.config import Source
from option_a.ingest.errors import ManifestError
from option_a.ingest.manifest import Manifest, Origin, is_open, utc_date_end
from option_a.ingest.partition import Partition

PartitionState = Literal["missing", "incomplete", "loading", "failed", "promoting", "open", "complete"]
"""Derived: `missing` has no manifest, `incomplete` is loading with no live lease, `open` was complete too early."""


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a manifest says, briefly. Pages, records and bytes are of the load that can be read, if there is one."""

    source: str
    date: dt.date
    state: str
    run: str
    origin: Origin
    """Of the records that can be read."""
    pages: int
    records: int
    bytes: int
    started: float
    finished: float | None = None
    last: int | None = None
    leased_until: float | None = msgspec.field(default=None, name="claimed_until")
    open: bool = False
    over: float | None = None
    """The epoch second at which its date is over, where the source does not count its days by UTC."""
    staged: bool = False
    has_previous_load: bool = msgspec.field(default=False, name="beneath")
    """Whether a complete load is readable while, or although, another was tried beside it."""
    restated: int = 0
    restated_pages: list[int] = []
    tried: Origin | None = None
    """The origin of the load that stands on top."""
    tried_run: str = ""
    """Its run; empty where an earlier version remembered the summary."""
    cause: str | None = None
    cause_kind: str | None = None
    message: str = ""
    """Why an unfinished load waits: what the last attempt to say so was told."""

    @property
    def partition(self) -> Partition:
        return Partition(self.source, self.date)


def summarize(manifest: Manifest) -> Summary:
    """The summary of a manifest."""
    load, shown = manifest.load, manifest.readable or manifest.load
    return Summary(
        source=manifest.source,
        date=manifest.date,
        state=manifest.state,
        run=shown.run,
        origin=shown.origin,
        tried=load.origin,
        tried_run=load.run,
        pages=shown.pages,
        records=shown.records,
        bytes=shown.bytes,
        started=load.started,
        finished=shown.finished,
        last=load.last,
        leased_until=manifest.lease.expires if manifest.lease else None,
        open=is_open(load, manifest.date),
        over=load.date_ends_at,
        staged=load.staged,
        has_previous_load=manifest.previous_load is not None,
        restated=shown.restated,
        restated_pages=shown.restated_pages,
        cause=manifest.cause.message if manifest.cause else None,
        cause_kind=manifest.cause.kind if manifest.cause else None,
        message=_last_message(manifest),
    )


def _last_message(manifest: Manifest) -> str:
    if manifest.state in ("complete", "failed"):
        return ""
    mine = (attempt for attempt in reversed(manifest.attempts) if attempt.started >= manifest.load.started)
    return next((attempt.message for attempt in mine if attempt.message), "")


def unreadable_summary(partition: Partition, error: ManifestError) -> Summary:
    """The summary of a partition whose manifest cannot be read: it has failed, and that is its cause."""
    return Summary(
        source=partition.source,
        date=partition.date,
        state="failed",
        run="",
        origin="real",
        pages=0,
        records=0,
        bytes=0,
        started=0.0,
        cause=str(error),
        cause_kind=error.kind,
    )


def partition_state(summary: Summary | None, now: float) -> PartitionState:
    """The state as a person wants it."""
    if summary is None:
        return "missing"
    if summary.state == "complete":
        return "open" if summary.open else "complete"
    if summary.state == "failed":
        return "failed"
    if summary.leased_until is None or summary.leased_until <= now:
        return "incomplete"
    return "promoting" if summary.state == "promoting" else "loading"


def needs_reload(summary: Summary, now: float) -> bool:
    """Whether a complete partition was loaded before its date was over, and the date is over now."""
    over = utc_date_end(summary.date) if summary.over is None else summary.over
    return summary.state == "complete" and summary.open and now >= over


def expected_dates(source: Source, today: dt.date) -> Iterator[dt.date]:
    """Every date that should be there by now, newest first: since `since`, or just the last one."""
    last = latest_date(source, today)
    yield last
    if source.since is not None:
        for day in range(1, (last - source.since).days + 1):
            yield last - dt.timedelta(days=day)


def latest_date(source: Source, today: dt.date) -> dt.date:
    """The date that a run of that day asks for."""
    return today + dt.timedelta(days=source.date_offset)
