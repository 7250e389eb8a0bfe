"""A source without dates can only be asked for today's records. Pure."""

from __future__ import annotations

import datetime as dt

from option_a.ingest.config import Source
from option_a.ingest.errors import SnapshotError
from option_a.ingest.manifest import Load, utc_date_end


def check_day(source: Source, date: dt.date, load: Load, now: float) -> None:
    """Refuse to land today's records under a past date. Raises SnapshotError.

    A load that began on its day may end after midnight, within the source's patience.
    """
    over = utc_date_end(date)
    if source.snapshot and (load.started >= over or now >= max(over, load.started + source.patience_seconds)):
        raise SnapshotError(
            f"the snapshot of {date} can no longer be taken: without date_param, the source returns today's records",
            hint="option-a run takes today's snapshot",
        )
