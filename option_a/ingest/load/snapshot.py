"""A source without dates can only be asked for what it holds today. Pure."""

from __future__ import annotations

import datetime as dt

from option_a.ingest.config.source import Source
from option_a.ingest.errors import SnapshotError
from option_a.ingest.manifest.cutoff import day_over
from option_a.ingest.manifest.model import Load


def check_day(source: Source, date: dt.date, load: Load, now: float) -> None:
    """Refuse to land today's records under a past date. Raises SnapshotError.

    A load that was begun on its day may end after midnight, within the source's patience.
    """
    over = day_over(date)
    if source.snapshot and (load.started >= over or now >= max(over, load.started + source.patience_seconds)):
        raise SnapshotError(
            f"a snapshot of {date} cannot be taken any more: the source has no date_param, so it gives today's records",
            hint="option-a run takes today's",
        )
