"""Offsets and limits, `none`, and the stop rules that numbered pages share with them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.errors import PaginationError
from option_a.ingest.pagination import (
    OffsetPaginator,
    PageInfo,
    PageNumberPaginator,
    PageRequest,
    PageResponse,
    Pagination,
    SinglePagePaginator,
)


def seen(page: int, records: int, so_far: int, /, headers: dict[str, str] | None = None, **meta: Any) -> PageResponse:
    return PageResponse(page, records, so_far, meta, headers or {})


@given(st.integers(1, 10**6), st.integers(1, 1000), st.integers(0, 9))
def test_each_page_begins_where_a_full_one_ends(page: int, size: int, start: int) -> None:
    asked = OffsetPaginator(size=size, start=start).ask(page, None)
    assert asked.params == {"offset": str(start + (page - 1) * size), "limit": str(size)}


def test_the_names_are_the_apis_own_and_the_limit_may_be_left_out() -> None:
    assert OffsetPaginator(size=5, param="skip", size_param="top").ask(2, None).params == {"skip": "5", "top": "5"}
    assert OffsetPaginator(size=5, size_param="").ask(2, None).params == {"offset": "5"}


@pytest.mark.parametrize(
    "style", [OffsetPaginator(size=5, send="body", param="p.at"), OffsetPaginator(size=5, send="header")]
)
def test_a_position_goes_where_the_api_wants_it(style: OffsetPaginator) -> None:
    asked = style.ask(3, None)
    if style.send == "body":
        assert (asked.params, asked.fields) == ({}, {"p.at": 10, "limit": 5})
    else:
        assert (asked.params, asked.headers) == ({"limit": "5"}, {"offset": "10"})
    assert asked.slots == {"offset": 10}
    assert not {"p.at", "offset"} & {*asked.inlined().params, *asked.inlined().headers, *asked.inlined().fields}


MORE = {"x-more": "true"}
TOLD: list[tuple[PageNumberPaginator | OffsetPaginator | SinglePagePaginator, PageResponse, PageInfo]] = [
    (OffsetPaginator(size=5), seen(1, 5, 5), PageInfo()),
    (OffsetPaginator(size=5), seen(1, 3, 3), PageInfo()),
    (OffsetPaginator(size=5), seen(2, 0, 3), PageInfo(last=2)),
    (OffsetPaginator(size=5), seen(1, 0, 0), PageInfo(last=1)),
    (OffsetPaginator(size=5, stop="short"), seen(1, 3, 3), PageInfo(may_be_last=True)),
    (OffsetPaginator(size=5, stop="short"), seen(1, 1, 1), PageInfo(may_be_last=True)),
    (OffsetPaginator(size=5, stop="short"), seen(1, 0, 0), PageInfo(last=1)),
    (OffsetPaginator(size=5, stop="short"), seen(2, 3, 8), PageInfo(last=2)),
    (OffsetPaginator(size=5, has_more="more"), seen(1, 5, 5, more=True), PageInfo()),
    (OffsetPaginator(size=5, has_more="more"), seen(2, 1, 6, more="false"), PageInfo(last=2)),
    (OffsetPaginator(size=5, stop="empty", total_records="n"), seen(2, 5, 10, n=10), PageInfo(total=10)),
    (OffsetPaginator(size=5, stop="empty", total_records="n"), seen(3, 0, 10, n=7), PageInfo(last=3, total=7)),
    (OffsetPaginator(size=5, stop="short", total_records="n"), seen(1, 3, 3, n=3), PageInfo(may_be_last=True, total=3)),
    (PageNumberPaginator(size=5, stop="short", total_records="n"), seen(2, 3, 8, n=5), PageInfo(last=2, total=5)),
    (OffsetPaginator(size=5, total_records="n"), seen(1, 5, 5, n=11), PageInfo(last=3, total=11)),
    (OffsetPaginator(size=5, total_records="n"), seen(1, 0, 0, n=0), PageInfo(last=1, total=0)),
    (OffsetPaginator(size=5, total_records="header:X-N"), seen(1, 5, 5, {"x-n": "6"}), PageInfo(last=2, total=6)),
    (PageNumberPaginator(has_more="header: X-More"), seen(1, 0, 0, MORE), PageInfo()),
    (
        PageNumberPaginator(has_more="more", total_records="n"),
        seen(3, 2, 9, more=False, n=9),
        PageInfo(last=3, total=9),
    ),
    (PageNumberPaginator(stop="total", total_pages="n"), seen(1, 2, 2, n=4), PageInfo(last=4)),
    (SinglePagePaginator(), seen(1, 9, 9), PageInfo(last=1)),
    (SinglePagePaginator(total_records="n"), seen(1, 9, 9, n=10), PageInfo(last=1, total=10)),
]


@pytest.mark.parametrize(("style", "answer", "told"), TOLD)
def test_a_page_tells_where_the_end_is(
    style: PageNumberPaginator | OffsetPaginator | SinglePagePaginator, answer: PageResponse, told: PageInfo
) -> None:
    assert style.read(answer) == told


def test_one_response_is_asked_for_with_nothing_beside_it() -> None:
    assert SinglePagePaginator().ask(1, None) == PageRequest()


@pytest.mark.parametrize("has_more", [None, "more"])
def test_records_after_a_short_page_show_that_the_api_caps_its_pages(has_more: str | None) -> None:
    with pytest.raises(PaginationError, match="caps the page size: set size = 100"):
        OffsetPaginator(size=500, has_more=has_more).read(seen(3, 100, 300, more=True))


@pytest.mark.parametrize(
    ("style", "answer"),
    [
        (OffsetPaginator(size=5), seen(3, 2, 9)),
        (PageNumberPaginator(size=5, stop="short"), seen(2, 5, 8)),
        (OffsetPaginator(size=5), seen(2, 1, 4)),
    ],
)
def test_what_the_pages_before_held_is_told_beside_what_they_should_have(
    style: PageNumberPaginator | OffsetPaginator, answer: PageResponse
) -> None:
    said = "earlier pages had 3 records, fewer than size = 5, but more followed"
    with pytest.raises(PaginationError, match=rf"{said} .*set size = 3\)$"):
        style.read(answer)


def test_a_page_longer_than_the_limit_would_be_landed_twice_in_part() -> None:
    with pytest.raises(PaginationError, match=r"50 records, more than size = 20.*pagination.size_param"):
        OffsetPaginator(size=20).read(seen(1, 50, 50))


@pytest.mark.parametrize("value", [None, 1, "yes", [], {}])
def test_a_has_more_that_is_neither_yes_nor_no_is_a_broken_promise(value: object) -> None:
    with pytest.raises(PaginationError, match=r"neither true nor false .*correct pagination.has_more .*has: more"):
        PageNumberPaginator(has_more="more").read(seen(1, 1, 1, more=value))


def test_what_is_missing_is_looked_for_where_it_should_be_and_what_is_there_is_named() -> None:
    with pytest.raises(PaginationError, match=r"`more` is not there .*the body has: data, next"):
        PageNumberPaginator(has_more="more").read(seen(1, 1, 1, data=None, next=2))
    with pytest.raises(PaginationError, match=r"`header:X-N` is not there .*response has the headers: date, link"):
        PageNumberPaginator(total_records="header:X-N").read(seen(1, 1, 1, {"link": "", "date": ""}, n=1))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"style": "offset"}, "missing required field `size`"),
        ({"style": "offset", "size": 0}, "`int` >= 1"),
        ({"style": "offset", "size": 5, "stop": "total"}, "needs the place of a total"),
        ({"style": "offset", "size": 5, "stop": "has_more"}, "needs `has_more`"),
        ({"style": "offset", "size": 5, "stop": "short", "has_more": "m"}, "are mutually exclusive"),
        ({"style": "page", "has_more": "m", "total_pages": "n"}, "are mutually exclusive"),
        ({"style": "page", "stop": "empty", "total_pages": "n"}, "are mutually exclusive"),
        ({"style": "page", "size": 5, "stop": "short", "total_pages": "n"}, "are mutually exclusive"),
        ({"style": "page", "size_param": "limit"}, "`size_param` needs `size`"),
        ({"style": "page", "stop": "total"}, "needs the place of a total"),
        ({"style": "none", "size": 5}, "unknown field"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(table, Pagination)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (OffsetPaginator(size=5), 'offset (offset by 5, until stop = "empty")'),
        (OffsetPaginator(size=5, param="skip", total_records="n"), "offset (skip by 5, until n)"),
        (PageNumberPaginator(has_more="more"), "page (page from 1, until more)"),
        (SinglePagePaginator(), "none (one response is all)"),
    ],
)
def test_a_style_says_what_it_is(style: PageNumberPaginator | OffsetPaginator | SinglePagePaginator, text: str) -> None:
    assert str(style) == text
