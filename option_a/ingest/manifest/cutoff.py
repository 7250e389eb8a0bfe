"""When a date ends, and whether a load began before that. Pure."""

from __future__ import annotations

import datetime as dt

from option_a.ingest.manifest.model import Load


def utc_date_end(date: dt.date) -> float:
    """The epoch second at which a date ends, UTC."""
    return dt.datetime.combine(date, dt.time(), dt.UTC).timestamp() + 86_400.0


def loaded_too_early(load: Load, date: dt.date, now: float) -> bool:
    """The load began before its date ended, and the date has ended: it may hold half a day."""
    return is_open(load, date) and date_end(load, date) <= now


def is_open(load: Load, date: dt.date) -> bool:
    """Whether a load of a real API began before its date ended: a run after that loads it again."""
    return load.origin == "real" and not load.snapshot and load.started < date_end(load, date)


def date_end(load: Load, date: dt.date) -> float:
    """The epoch second at which the date of a load ends."""
    return utc_date_end(date) if load.date_ends_at is None else load.date_ends_at
