"""How APIs hand out their pages: one small pure class a style, each of two steps.

`ask` says how page n is asked for, `read` what the answer to page n tells: where the end is, or how to go on.
"""

from __future__ import annotations

from option_a.ingest.jsontext.decode import decoded, digits
from option_a.ingest.jsontext.values import MISSING, exact, find, keys, number, to_raw
from option_a.ingest.pagination.chained import CursorPaginator, LinkHeaderPaginator, NextUrlPaginator
from option_a.ingest.pagination.counted import OffsetPaginator, PageNumberPaginator, SinglePagePaginator
from option_a.ingest.pagination.style import Cursor, PageInfo, PageRequest, PageResponse, Paginator

__all__ = [
    "MISSING",
    "Cursor",
    "CursorPaginator",
    "LinkHeaderPaginator",
    "NextUrlPaginator",
    "OffsetPaginator",
    "PageInfo",
    "PageNumberPaginator",
    "PageRequest",
    "PageResponse",
    "Pagination",
    "Paginator",
    "SinglePagePaginator",
    "decoded",
    "digits",
    "exact",
    "find",
    "keys",
    "number",
    "to_raw",
]  # fmt: skip

Pagination = (
    PageNumberPaginator
    | OffsetPaginator
    | CursorPaginator
    | NextUrlPaginator
    | LinkHeaderPaginator
    | SinglePagePaginator
)
