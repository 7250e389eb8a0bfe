"""When a date is over, and whether a load was made before that. Pure."""

from __future__ import annotations

import datetime as dt

from option_a.ingest.manifest.model import Load


def day_over(date: dt.date) -> float:
    """The epoch second at which a date is over, UTC."""
    return dt.datetime.combine(date, dt.time(), dt.UTC).timestamp() + 86_400.0


def loaded_too_early(load: Load, date: dt.date, now: float) -> bool:
    """Whether a real API was asked before the date was over, and it is over now: that may have been half a day."""
    return is_open(load, date) and ends(load, date) <= now


def is_open(load: Load, date: dt.date) -> bool:
    """Whether a complete load was made before its date was over: a run after the date's end loads it again."""
    return load.origin == "real" and not load.snapshot and load.started < ends(load, date)


def ends(load: Load, date: dt.date) -> float:
    """The epoch second at which the date of a load is over."""
    return day_over(date) if load.date_ends_at is None else load.date_ends_at
