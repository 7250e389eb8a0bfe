"""How APIs hand out their pages: one small pure class a style, each of two steps.

`ask` says how page n is asked for, `read` what the answer to page n tells: where the end is, or how to go on.
"""

from __future__ import annotations

from option_a.ingest.jsontext.decode import decoded, digits
from option_a.ingest.jsontext.values import MISSING, exact, find, keys, number, raw
from option_a.ingest.pagination.chained import ByCursor, Link, NextUrl
from option_a.ingest.pagination.counted import Offset, Page, Whole
from option_a.ingest.pagination.style import Ask, Cursor, Seen, Style, Told

__all__ = [
    "MISSING", "Ask", "ByCursor", "Cursor", "Link", "NextUrl", "Offset", "Page", "Pagination", "Seen", "Style", "Told",
    "Whole", "decoded", "digits", "exact", "find", "keys", "number", "raw",
]  # fmt: skip

Pagination = Page | Offset | ByCursor | NextUrl | Link | Whole
