"""Shows the first records of a page as a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from option_a.cli.render import printable, table
from option_a.ingest.decode import infer_columns

SHOWN = 5
_WIDTH = 24
_COLUMNS = 8


def sample(records: Sequence[dict[str, Any]]) -> str:
    """A few records and columns, then the names and types of all columns."""
    types = infer_columns(records)
    shown = list(types)[:_COLUMNS]
    rows = [[_cut(record.get(key)) for key in shown] for record in records[:SHOWN]]
    head = table([printable(key) for key in shown], rows) + "\n\n" if records else ""
    return head + "Columns: " + ", ".join(f"{printable(key)} {kind}" for key, kind in types.items())


def _cut(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
