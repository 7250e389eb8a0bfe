"""How APIs hand out their pages: one small pure class a style, each of two steps.

`ask` says how page n is asked for, `read` what the answer to page n tells: where the end is, or how to go on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from option_a.ingest.errors import PaginationError, TotalError

MISSING: Any = msgspec.UNSET


class Ask(msgspec.Struct, frozen=True):
    """How a page is asked for: other query parameters, or another URL altogether."""

    params: Mapping[str, str] = {}
    url: str | None = None


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the answer to page n told.

    `last` is the number of the last page where it is known, which lets the pages before it be fetched in parallel;
    `cursor` asks for page n + 1; `total` is the number of records that the API declares for the partition.
    """

    last: int | None = None
    cursor: str | None = None
    total: int | None = None
    doubt: bool = False
    """The page may be the last one: the next one is asked for to confirm it."""


class Seen(msgspec.Struct, frozen=True):
    """Page n as it was answered: its records, those of pages 1 to n together, and the body less its records."""

    page: int
    records: int
    so_far: int
    meta: Any


class Style(msgspec.Struct, frozen=True, kw_only=True, tag_field="style", forbid_unknown_fields=True):
    """What every style has in common."""

    def ask(self, page: int, cursor: str | None) -> Ask:
        """How page `page` (from 1) is asked for; `cursor` is what the page before it told."""
        raise NotImplementedError

    def read(self, seen: Seen) -> Told:
        """What the answer tells. Raises PaginationError if a promise of the table is broken."""
        raise NotImplementedError


class Page(Style, frozen=True, kw_only=True, tag="page"):
    """Numbered pages: `?page=1`, `?page=2`, … until a declared total, or until a stop rule that is spelt out."""

    param: str = "page"
    start: int = 1
    size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    size_param: str | None = None
    stop: Literal["empty", "short"] | None = None
    total_pages: str | None = None
    total_records: str | None = None

    def __post_init__(self) -> None:
        if self.stop == "short" and self.size is None:
            raise ValueError('stop = "short" needs `size`: a page of fewer records than that is the last')
        if self.size_param is not None and self.size is None:
            raise ValueError("`size_param` needs `size`")
        if self.stop is not None and (self.total_pages or self.total_records):
            raise ValueError("`stop` and a declared total exclude each other: the total says where the end is")

    def __str__(self) -> str:
        end = self.total_pages or self.total_records or f'stop = "{self.stop or "empty"}"'
        return f"page ({self.param} from {self.start}, until {end})"

    def ask(self, page: int, cursor: str | None) -> Ask:
        size = {self.size_param: str(self.size)} if self.size_param else {}
        return Ask({self.param: str(self.start + page - 1), **size})

    def read(self, seen: Seen) -> Told:
        total = number(seen.meta, self.total_records, "total_records") if self.total_records else None
        if self.stop == "short":
            return self._until_short(seen)
        return Told(last=self._last(seen, total), total=total)

    def _until_short(self, seen: Seen) -> Told:
        """A first page that is short is no proof: the API may cap `size`. The second page tells."""
        size, before = self.size or 0, seen.so_far - seen.records
        if seen.page == 2 and before < size and seen.records:
            raise PaginationError(
                f"the first page held {before} records, fewer than size = {size}, and there is a second one",
                hint=f"the API caps its pages: set size = {before}",
            )
        if seen.page == 1 and 0 < seen.records < size:
            return Told(doubt=True)
        return Told(last=seen.page if seen.records < size else None)

    def _last(self, seen: Seen, total: int | None) -> int | None:
        if self.total_pages:
            pages = number(seen.meta, self.total_pages, "total_pages")
            if pages == 0 and seen.records:
                raise TotalError(f"the API declares 0 pages and sent {seen.records} records")
            return max(1, pages)
        if total is not None and self.size:
            return max(1, math.ceil(total / self.size))
        if total is not None and seen.so_far >= total:
            return seen.page
        return None if seen.records else seen.page


class NextUrl(Style, frozen=True, kw_only=True, tag="next_url"):
    """Each body holds the URL of the next page; the last page's is null, or, with stop = "missing", left out."""

    path: str = "next"
    stop: Literal["null", "missing"] = "null"
    total_records: str | None = None

    def __str__(self) -> str:
        return f"next_url (in {self.path}, until {self.stop})"

    def ask(self, page: int, cursor: str | None) -> Ask:
        return Ask(url=cursor)

    def read(self, seen: Seen) -> Told:
        total = number(seen.meta, self.total_records, "total_records") if self.total_records else None
        value = find(seen.meta, self.path)
        if value is MISSING and self.stop == "null":
            raise PaginationError(
                f"the body has no `{self.path}`, so nothing says whether this is the last page",
                hint=f"correct pagination.path (the body has: {keys(seen.meta)}), "
                'or set pagination.stop = "missing" if the API leaves it out on the last page',
            )
        if value is MISSING or value is None or value == "" or value is False:
            return Told(last=seen.page, total=total)
        if not isinstance(value, str):
            raise PaginationError(f"`{self.path}` is no URL but {type(value).__name__}", hint="correct pagination.path")
        if not _is_url(value):
            raise PaginationError(f"`{self.path}` is no URL but {value[:40]!r}", hint="correct pagination.path")
        return Told(cursor=value, total=total)


Pagination = Page | NextUrl


def find(meta: Any, path: str) -> Any:
    """What stands at a dotted path of a decoded body; a key may itself hold dots. MISSING if nothing does."""
    if not isinstance(meta, dict):
        return MISSING
    if path in meta:
        return meta[path]
    head, dot, rest = path.partition(".")
    return find(meta.get(head), rest) if dot else MISSING


def _is_url(value: str) -> bool:
    try:
        return bool(urlsplit(value.encode().decode()))
    except ValueError:
        return False  # a host or a port that is none, or a lone surrogate


def keys(meta: Any) -> str:
    """The keys of a body, for an error message."""
    names = ", ".join(sorted(map(str, meta))[:12]) if isinstance(meta, dict) else ""
    return names.encode("utf-8", "backslashreplace").decode() or "no keys"  # a lone surrogate cannot be written


def number(meta: Any, path: str, key: str) -> int:
    """The whole number at a path, which a table promises. Raises PaginationError if there is none."""
    value = find(meta, path)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**18:
        found = "is not there" if value is MISSING else f"is {str(value)[:40]!r}, no whole number"
        raise PaginationError(
            f"`{path}` {found}", hint=f"correct pagination.{key} in sources.toml; the body has: {keys(meta)}"
        )
    return value
