"""The queries that are saved in the workgroup: what one asks first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from option_a.ingest.config import Source
from option_a.names import text_table

_MOST = 40
"""Sources in one query: Athena takes no query of any length."""


def saved(sources: Sequence[Source], database: str) -> dict[str, tuple[str, str]]:
    """The queries: name to (description, SQL)."""
    first = sources[0]
    lines = table(database, text_table(first.view))
    found = {
        "records-a-day": ("How many records each source has, day by day", _records_a_day(sources, database)),
        "newest-records": (f"A look at what landed last of {first.name}", _newest(lines)),
        "pages-of-a-day": ("Records a page: compare them with the manifest", _pages(lines)),
        "a-field": ("A field out of the text: a renamed one gives NULL and breaks nothing", _field(lines)),
    }
    typed = next((source for source in sources if source.columns), None)
    if typed is not None:
        found["typed"] = (f"The declared columns of {typed.name}", _newest(table(database, typed.view)))
    return found


def table(database: str, name: str) -> str:
    """A table as SQL calls it."""
    return f'"{database}"."{name}"'


def _records_a_day(sources: Sequence[Source], database: str) -> str:
    parts = [
        f"SELECT '{source.name}' AS source, ingestion_date, count(*) AS records\n"
        f"FROM {table(database, text_table(source.view))}\n"
        f"WHERE {_LAST_WEEK}\nGROUP BY ingestion_date"
        for source in sources[:_MOST]
    ]
    return "\nUNION ALL\n".join(parts) + "\nORDER BY source, ingestion_date"


def _newest(name: str) -> str:
    return f"SELECT *\nFROM {name}\nWHERE {_LAST_WEEK}\nORDER BY ingestion_date DESC\nLIMIT 20"


def _pages(name: str) -> str:
    return f'SELECT "$path" AS page, count(*) AS records\nFROM {name}\nWHERE {_LAST_WEEK}\nGROUP BY "$path"\nORDER BY 1'


def _field(name: str) -> str:
    value = "json_extract_scalar(record, '$.status')"
    head = f"SELECT {value} AS status, count(*) AS records\nFROM {name}"
    return f"{head}\nWHERE {_LAST_WEEK}\nGROUP BY {value}\nORDER BY 2 DESC"


_LAST_WEEK = "ingestion_date >= CAST(current_date - INTERVAL '7' DAY AS varchar)"
