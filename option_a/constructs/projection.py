"""Partition projection: Athena computes the partitions of a table from its parameters. Pure.

Glue takes any parameters; a mistake shows when a query fails, or worse, finds nothing. tests/stack/projection_lint.py
checks what is written here.
"""

from __future__ import annotations

import datetime as dt

from option_a.ingest.config import Source
from option_a.names import PARTITION_KEY

KEY = PARTITION_KEY
FIRST_DAY = dt.date(2000, 1, 1)
"""Where the dates of a source that names no `since` begin."""


def parameters(source: Source, location: str) -> dict[str, str]:
    """The parameters of a table over `location`, partitioned by day."""
    ahead = max(1, source.date_offset + 1)
    return {
        "projection.enabled": "true",
        f"projection.{KEY}.type": "date",
        f"projection.{KEY}.format": "yyyy-MM-dd",
        f"projection.{KEY}.range": f"{(source.since or FIRST_DAY).isoformat()},NOW+{ahead}DAYS",
        f"projection.{KEY}.interval": "1",
        f"projection.{KEY}.interval.unit": "DAYS",
        "storage.location.template": f"{location}{KEY}=${{{KEY}}}/",
    }
