"""How APIs hand out their pages: one small pure class per style, each of two steps.

`ask` says how page n is requested, `read` what its answer declares: where the end is, or how to go on.
"""

from __future__ import annotations

from option_a.ingest.pagination.chained import CursorPaginator, LinkHeaderPaginator, NextUrlPaginator
from option_a.ingest.pagination.counted import OffsetPaginator, PageNumberPaginator, SinglePagePaginator
from option_a.ingest.pagination.link_header import MalformedLink, link_targets
from option_a.ingest.pagination.style import Cursor, PageInfo, PageRequest, PageResponse

__all__ = [
    "Cursor",
    "CursorPaginator",
    "LinkHeaderPaginator",
    "MalformedLink",
    "NextUrlPaginator",
    "OffsetPaginator",
    "PageInfo",
    "PageNumberPaginator",
    "PageRequest",
    "PageResponse",
    "Pagination",
    "SinglePagePaginator",
    "link_targets",
]

Pagination = (
    PageNumberPaginator
    | OffsetPaginator
    | CursorPaginator
    | NextUrlPaginator
    | LinkHeaderPaginator
    | SinglePagePaginator
)
