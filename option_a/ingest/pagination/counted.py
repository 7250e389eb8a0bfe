"""Pages whose position is a number that is known ahead: numbered pages, and offsets. `none` is one page alone."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec

from option_a.ingest.errors import PaginationError, TotalError
from option_a.ingest.pagination.style import Cursor, PageInfo, PageRequest, PageResponse, Paginator, Send, place_value

Size = Annotated[int, msgspec.Meta(ge=1)]
Stop = Literal["empty", "short", "has_more", "total"]


class _Counted(Paginator, frozen=True, kw_only=True):
    """What `page` and `offset` have in common: where the end is."""

    stop: Stop | None = None
    has_more: str | None = None
    send: Send = "param"

    def __post_init__(self) -> None:
        if self.stop == "short" and self.page_size is None:
            raise ValueError('stop = "short" needs `size`: a page of fewer records than that is the last')
        if self.stop == "total" and not self.declared:
            raise ValueError('stop = "total" needs the place of a total: `total_records` or `total_pages`')
        if self.stop == "has_more" and self.has_more is None:
            raise ValueError('stop = "has_more" needs `has_more`: the place of a boolean')
        if self.has_more is not None and self.stop not in (None, "has_more"):
            raise ValueError(f'`has_more` and stop = "{self.stop}" are mutually exclusive')

    @property
    def declared(self) -> str | None:
        """The place of the total that tells the end, where no other rule does."""
        return self.total_records

    @property
    def rule(self) -> Stop:
        """The stop rule, spelt out or not."""
        if self.stop is not None:
            return self.stop
        return "has_more" if self.has_more else "total" if self.declared else "empty"

    @property
    def total_is_end(self) -> bool:
        return self.rule == "total" and self.declared == self.total_records

    @property
    def stops_short(self) -> bool:
        return self.rule == "short"

    @property
    def sends_in_body(self) -> bool:
        return self.send == "body"

    @property
    def until(self) -> str:
        """Where the end is, for `__str__`."""
        where = {"has_more": self.has_more, "total": self.declared}.get(self.rule)
        return where or f'stop = "{self.rule}"'

    def read(self, response: PageResponse) -> PageInfo:
        total = self.total(response)
        if self.stops_short:
            return self._until_short(response, total)
        if self.rule == "has_more":
            return PageInfo(last=None if response.flag(self.has_more or "", "has_more") else response.page, total=total)
        if self.rule == "empty":
            return PageInfo(last=None if response.records else response.page, total=total)
        return PageInfo(last=self._last(response, total), total=total)

    def _until_short(self, response: PageResponse, total: int | None) -> PageInfo:
        """A first page that is short is no proof: the API may cap `size`. The second page tells."""
        size, before = self.page_size or 0, response.records_so_far - response.records
        if response.page == 2 and before < size and response.records:
            raise page_size_capped(before, size)
        if response.page == 1 and 0 < response.records < size:
            return PageInfo(may_be_last=True, total=total)
        return PageInfo(last=response.page if response.records < size else None, total=total)

    def _last(self, response: PageResponse, total: int | None) -> int | None:
        if total is not None and self.page_size:
            return max(1, math.ceil(total / self.page_size))
        if total is not None and response.records_so_far >= total:
            return response.page
        return None if response.records else response.page


class PageNumberPaginator(_Counted, frozen=True, kw_only=True, tag="page"):
    """Numbered pages: `?page=1`, `?page=2`, … until a declared total, or until a stop rule that is spelt out."""

    param: str = "page"
    start: int = 1
    size: Size | None = None
    size_param: str | None = None
    total_pages: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size_param is not None and self.size is None:
            raise ValueError("`size_param` needs `size`")
        if self.stop in ("empty", "short") and self.total_pages:
            raise ValueError("`stop` and `total_pages` are mutually exclusive: each says where the end is")
        if self.total_pages and self.has_more:
            raise ValueError("`has_more` and `total_pages` are mutually exclusive: each says where the end is")

    def __str__(self) -> str:
        return f"page ({self.param} from {self.start}, until {self.until})"

    @property
    def page_size(self) -> int | None:
        return self.size

    @property
    def header_name(self) -> str | None:
        return self.param if self.send == "header" else None

    @property
    def declared(self) -> str | None:
        return self.total_pages or self.total_records

    @property
    def advice(self) -> str:
        ends = "declare where the end is (total_pages, total_records, has_more, or stop)"
        return f"correct pagination.param if the API ignores `{self.param}`, or {ends}"

    def ask(self, page: int, cursor: Cursor | None) -> PageRequest:
        size = {self.size_param: self.size} if self.size_param and self.size else {}
        return place_value(self.send, self.param, "page", self.start + page - 1, size)

    def _last(self, response: PageResponse, total: int | None) -> int | None:
        if not self.total_pages:
            return super()._last(response, total)
        pages = response.number(self.total_pages, "total_pages")
        if pages == 0 and response.records:
            hint = "correct pagination.total_pages, or ask the API's owner"
            raise TotalError(f"the API declares 0 pages and sent {response.records} records", hint=hint)
        return max(1, pages)


class OffsetPaginator(_Counted, frozen=True, kw_only=True, tag="offset"):
    """Offsets and limits: `?offset=0&limit=100`, `?offset=100&limit=100`, … Each page begins where a full one ends."""

    size: Size
    param: str = "offset"
    size_param: str = "limit"
    start: int = 0

    def __str__(self) -> str:
        return f"offset ({self.param} by {self.size}, until {self.until})"

    @property
    def page_size(self) -> int:
        return self.size

    @property
    def header_name(self) -> str | None:
        return self.param if self.send == "header" else None

    @property
    def advice(self) -> str:
        return f"correct pagination.param if the API ignores `{self.param}`, or {super().advice}"

    def ask(self, page: int, cursor: Cursor | None) -> PageRequest:
        size = {self.size_param: self.size} if self.size_param else {}
        return place_value(self.send, self.param, "offset", self.start + (page - 1) * self.size, size)

    def read(self, response: PageResponse) -> PageInfo:
        """A page that is longer than `size` overlaps the next one, and records after a short one were skipped."""
        records = response.records
        if records > self.size:
            what = f"the page holds {records} records, more than size = {self.size}, so the next would repeat some"
            raise PaginationError(what, hint="correct pagination.size_param, or set size to what the API sends")
        before = response.records_so_far - records
        if records and self.rule in ("empty", "has_more") and before < (response.page - 1) * self.size:
            raise page_size_capped(before // (response.page - 1), self.size)
        return super().read(response)


class SinglePagePaginator(Paginator, frozen=True, kw_only=True, tag="none"):
    """No pages: one response is the partition."""

    def __str__(self) -> str:
        return "none (one response is all)"

    def ask(self, page: int, cursor: Cursor | None) -> PageRequest:
        return PageRequest()

    def read(self, response: PageResponse) -> PageInfo:
        return PageInfo(last=1, total=self.total(response))


def page_size_capped(records: int, size: int) -> PaginationError:
    """A page that was shorter than it should be, and was not the last."""
    return PaginationError(
        f"earlier pages had {records} records, fewer than size = {size}, but more followed",
        hint=f"the API caps the page size: set size = {records}",
    )
