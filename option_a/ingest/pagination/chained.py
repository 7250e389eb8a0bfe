"""Pages that lead from one to the next: by a cursor, by a URL in the body, or by the Link header."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from option_a.ingest.errors import PaginationError
from option_a.ingest.jsontext import MISSING, Exact, decode_exact, describe_keys, exact_list, find_path, preview
from option_a.ingest.pagination.counted import page_size_capped
from option_a.ingest.pagination.link_header import MalformedLink, link_targets
from option_a.ingest.pagination.style import (
    Cursor,
    PageInfo,
    PageRequest,
    PageResponse,
    Paginator,
    Send,
    place_value,
    text,
)


class CursorPaginator(Paginator, frozen=True, kw_only=True, tag="cursor"):
    """Each answer holds what asks for the next page: in its body, in a header, or in a field of its last record."""

    path: str | None = None
    record: str | None = None
    """The field of the last record that asks for those after it."""
    param: str = "cursor"
    send: Send = "param"
    start: str | None = None
    size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    size_param: str | None = None
    has_more: str | None = None
    stop: Literal["null", "next_missing", "has_more", "empty", "short"] | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.record is None):
            raise ValueError("a cursor needs either `path` (in the body, or header:NAME) or `record` (a field of it)")
        if self.record is not None and self.stop in ("null", "next_missing"):
            raise ValueError(f'stop = "{self.stop}" goes with `path`: a record always has its field')
        if self.stop == "has_more" and self.has_more is None:
            raise ValueError('stop = "has_more" needs `has_more`: the place of a boolean')
        if self.has_more is not None and self.stop not in (None, "has_more"):
            raise ValueError(f'`has_more` and stop = "{self.stop}" are mutually exclusive')
        if self.size is None and (self.stop == "short" or self.size_param is not None):
            raise ValueError('stop = "short" and `size_param` need `size`')

    def __str__(self) -> str:
        where = self.path if self.path is not None else f"{self.record} of the last record"
        end = f'stop = "{self.rule}"' if self.rule != "has_more" else self.has_more
        return f"cursor ({self.param} from {where}, until {end})"

    @property
    def rule(self) -> str:
        """The stop rule, spelt out or not."""
        if self.stop is not None:
            return self.stop
        return "has_more" if self.has_more else "null" if self.path else "empty"

    @property
    def page_size(self) -> int | None:
        return self.size

    @property
    def cursor_field(self) -> str | None:
        return self.record

    @property
    def stops_short(self) -> bool:
        return self.rule == "short"

    @property
    def sends_in_body(self) -> bool:
        return self.send == "body"

    @property
    def header_name(self) -> str | None:
        return self.param if self.send == "header" else None

    @property
    def advice(self) -> str:
        return f"correct pagination.param if the API ignores `{self.param}`, or {super().advice}"

    def ask(self, page: int, cursor: Cursor | None) -> PageRequest:
        beside = {self.size_param: self.size} if self.size_param and self.size else {}
        value = cursor if cursor is not None else self.start
        request = place_value(self.send, self.param, "cursor", value, beside)
        return request if value is not None else request.inlined()

    def read(self, response: PageResponse) -> PageInfo:
        total = self.total(response)
        if self.rule == "has_more" and not response.flag(self.has_more or "", "has_more"):
            return PageInfo(last=response.page, total=total)
        if self.rule in ("empty", "short") and not response.records:
            return PageInfo(last=response.page, total=total)
        value = self._value(response)
        if value is None and self.rule in ("null", "next_missing", "short") and not self._full(response):
            return PageInfo(last=response.page, total=total)
        if value is None:
            raise PaginationError(
                f"there are more pages, but {self._where} has no cursor", hint=self._ways_out(response)
            )
        if self.stops_short:
            return self._until_short(response, value, total)
        return PageInfo(cursor=value, total=total)

    def _full(self, response: PageResponse) -> bool:
        """Whether a page without a cursor is full, so that others follow. An explicit null ends it all the same."""
        if not self.stops_short or response.records < (self.size or 0):
            return False
        return self.path is None or response.at(self.path) is MISSING

    def _until_short(self, response: PageResponse, value: Cursor, total: int | None) -> PageInfo:
        """A first page that is short is no proof: the API may cap `size`. The second page tells."""
        size, before = self.size or 0, response.records_so_far - response.records
        if response.page == 2 and before < size:
            raise page_size_capped(before, size)
        if response.records >= size:
            return PageInfo(cursor=value, total=total)
        if response.page == 1:
            return PageInfo(cursor=value, total=total, may_be_last=True)
        return PageInfo(last=response.page, total=total)

    def _value(self, response: PageResponse) -> Any:
        """The cursor that the answer holds; None where it holds none and may."""
        value = find_path(_final(response), self.record) if self.record is not None else response.at(self.path or "")
        if value is MISSING and self.rule == "null":
            what = f"{self._where} is not there, so nothing says whether this is the last page"
            raise PaginationError(what, hint=self._ways_out(response))
        if _is_none(value):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float | list | Exact) or not _writable(value):
            raise PaginationError(f"{self._where} is not a cursor but {preview(value)}", hint=self._ways_out(response))
        return exact_list(value) if isinstance(value, list) else value

    @property
    def _where(self) -> str:
        return f"`{self.path}`" if self.path is not None else f"`{self.record}` of the last record"

    def _ways_out(self, response: PageResponse) -> str:
        if self.record is not None:
            return f"correct pagination.record (the last record has: {describe_keys(_final(response))})"
        return (
            f"correct pagination.path ({response.describe(self.path or '')}), "
            'or set pagination.stop = "next_missing" if the API leaves it out on the last page'
        )


class NextUrlPaginator(Paginator, frozen=True, kw_only=True, tag="next_url"):
    """Each body holds the URL of the next page; the last page's is null, or, with "next_missing", left out."""

    path: str = "next"
    stop: Literal["null", "next_missing", "missing"] = "null"

    follows: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"next_url (in {self.path}, until {self.stop})"

    def ask(self, page: int, cursor: Cursor | None) -> PageRequest:
        return PageRequest(url=None if cursor is None else text(cursor))

    def read(self, response: PageResponse) -> PageInfo:
        total = self.total(response)
        value = response.at(self.path)
        if value is MISSING and self.stop == "null":
            raise PaginationError(
                f"the body has no `{self.path}`, so nothing says whether this is the last page",
                hint=f"correct pagination.path ({response.describe(self.path)}), "
                'or set pagination.stop = "next_missing" if the API leaves it out on the last page',
            )
        if _is_none(value):
            return PageInfo(last=response.page, total=total)
        if not isinstance(value, str):
            what = f"`{self.path}` is not a URL but {type(value).__name__}"
            raise PaginationError(what, hint="correct pagination.path")
        if not _is_url(value):
            raise PaginationError(f"`{self.path}` is not a URL but {preview(value)}", hint="correct pagination.path")
        return PageInfo(cursor=value, total=total)


class LinkHeaderPaginator(Paginator, frozen=True, kw_only=True, tag="link"):
    """The Link header leads to the next page (RFC 8288); the last page's has no `next`.

    With `param`, the number in that parameter of its `last` tells the last page, and pages are asked for by number.
    """

    param: str | None = None
    start: int = 1

    follows: ClassVar[bool] = True

    def __str__(self) -> str:
        return f'link (rel="next"{f", {self.param} of rel=last" if self.param else ""})'

    def ask(self, page: int, cursor: Cursor | None) -> PageRequest:
        if self.param is not None:
            return place_value("param", self.param, "page", self.start + page - 1, {})
        return PageRequest(url=None if cursor is None else text(cursor))

    def read(self, response: PageResponse) -> PageInfo:
        total = self.total(response)
        try:
            links = link_targets(response.headers.get("link", ""))
        except MalformedLink:
            hint = "ask the API's owner, or use another style of pagination"
            raise PaginationError("invalid Link header (RFC 8288)", hint=hint) from None
        if not links.get("next"):
            return PageInfo(last=response.page, total=total)
        if self.param is not None:
            return PageInfo(last=self._last(links.get("last", ""), self.param), total=total)
        if not _is_url(links["next"]):
            raise PaginationError("the Link header's next is not a URL", hint="ask the API's owner")
        return PageInfo(cursor=links["next"], total=total)

    def _last(self, last: str, param: str) -> int:
        values = parse_qs(urlsplit(last).query).get(param, [""]) if _is_url(last) else [""]
        if not (values[-1].isascii() and values[-1].isdigit() and len(values[-1]) <= 9):
            what = f'the Link header has no rel="last" with a number in `{param}`'
            raise PaginationError(what, hint="leave out pagination.param, so that pages are followed one by one")
        return max(1, int(values[-1]) - self.start + 1)


def _final(response: PageResponse) -> Any:
    return decode_exact(response.last_record) if response.last_record else None


def _is_none(value: Any) -> bool:
    """Whether it is one of the values by which APIs say that there is no next page."""
    return value is MISSING or value is None or value is False or value == ""


def _writable(value: Any) -> bool:
    """Whether the manifest can hold it: a lone surrogate cannot be written."""
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, ValueError, OverflowError):
        return False
    return True


def _is_url(value: str) -> bool:
    try:
        return bool(urlsplit(value.encode().decode()))
    except ValueError:
        return False  # an invalid host or port, or a lone surrogate
