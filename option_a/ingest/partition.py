"""A partition: one source on one date, the unit of completeness."""

from __future__ import annotations

import datetime as dt

import msgspec

SOURCE = r"[a-z0-9][a-z0-9_-]{0,62}"
"""What a source may be called; a folder of another name in a lake is no source's."""


EARLIEST, LATEST = dt.date(1, 1, 2), dt.date(9999, 12, 30)
"""Of a date beyond them no window can be told: the day before it, or the one behind it, is none."""


class Partition(msgspec.Struct, frozen=True, order=True):
    """One source on one date."""

    source: str
    date: dt.date

    @property
    def path(self) -> str:
        """`source=<s>/ingestion_date=<d>`: how hive-style readers spell the partition."""
        return f"source={self.source}/ingestion_date={self.date.isoformat()}"

    def __str__(self) -> str:
        return f"{self.source} {self.date.isoformat()}"
