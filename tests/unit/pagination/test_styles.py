"""The paginators: how pages are asked for, where they end, and which promises may be broken."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.errors import PaginationError, TotalError
from option_a.ingest.jsontext.values import MISSING, describe_keys, find_path
from option_a.ingest.pagination import (
    NextUrlPaginator,
    PageInfo,
    PageNumberPaginator,
    PageRequest,
    PageResponse,
    Pagination,
)


def seen(page: int = 1, records: int = 1, so_far: int = 1, /, **meta: Any) -> PageResponse:
    return PageResponse(page, records, so_far, meta)


@given(st.integers(1, 10**6), st.integers(-5, 5))
def test_pages_are_counted_from_where_the_api_starts(page: int, start: int) -> None:
    asked = PageNumberPaginator(start=start).ask(page, None)
    assert (asked.params, asked.slots) == ({"page": str(start + page - 1)}, {"page": start + page - 1})


def test_the_size_goes_along_under_the_name_that_the_api_has_for_it() -> None:
    style = PageNumberPaginator(param="p", size=50, size_param="per_page")
    assert style.ask(3, None).params == {"p": "3", "per_page": "50"}
    assert PageNumberPaginator(size=50).ask(3, None).params == {"page": "3"}


AB: dict[str, Any] = {"a.b": 8}
TOLD: list[tuple[PageNumberPaginator, PageResponse, PageInfo]] = [
    (PageNumberPaginator(), seen(4, 0), PageInfo(last=4)),
    (PageNumberPaginator(), seen(4, 1), PageInfo()),
    (PageNumberPaginator(stop="empty"), seen(1, 0, 0), PageInfo(last=1)),
    (PageNumberPaginator(stop="short", size=10), seen(1, 10, 10), PageInfo()),
    (PageNumberPaginator(stop="short", size=10), seen(1, 9, 9), PageInfo(may_be_last=True)),
    (PageNumberPaginator(stop="short", size=10), seen(1, 0, 0), PageInfo(last=1)),
    (PageNumberPaginator(stop="short", size=10), seen(2, 10, 20), PageInfo()),
    (PageNumberPaginator(stop="short", size=10), seen(2, 9, 19), PageInfo(last=2)),
    (PageNumberPaginator(stop="short", size=10), seen(2, 0, 10), PageInfo(last=2)),
    (PageNumberPaginator(stop="short", size=10), seen(2, 0, 9), PageInfo(last=2)),
    (PageNumberPaginator(size=10), seen(2, 9), PageInfo()),
    (PageNumberPaginator(total_pages="pages"), seen(1, 9, pages=7), PageInfo(last=7)),
    (PageNumberPaginator(total_pages="pages"), seen(1, 9, pages="7"), PageInfo(last=7)),
    (PageNumberPaginator(total_pages="pages"), seen(1, 0, pages=0), PageInfo(last=1)),
    (PageNumberPaginator(total_pages="a.b"), seen(3, 9, a={"b": 7}), PageInfo(last=7)),
    (PageNumberPaginator(total_pages="a.b"), seen(3, 9, a={"b": 7}, **AB), PageInfo(last=8)),
    (
        PageNumberPaginator(total_pages="pages", total_records="n"),
        seen(1, 9, pages=7, n=61),
        PageInfo(last=7, total=61),
    ),
    (PageNumberPaginator(total_records="n", size=10), seen(1, 10, 10, n=61), PageInfo(last=7, total=61)),
    (PageNumberPaginator(total_records="n", size=10), seen(1, 10, 10, n=60), PageInfo(last=6, total=60)),
    (PageNumberPaginator(total_records="n", size=10), seen(1, 0, 0, n=0), PageInfo(last=1, total=0)),
    (PageNumberPaginator(total_records="n"), seen(2, 10, 20, n=21), PageInfo(total=21)),
    (PageNumberPaginator(total_records="n"), seen(3, 1, 21, n=21), PageInfo(last=3, total=21)),
    (PageNumberPaginator(total_records="n"), seen(3, 0, 20, n=21), PageInfo(last=3, total=21)),
]


@pytest.mark.parametrize(("style", "answer", "told"), TOLD)
def test_a_numbered_page_tells_where_the_end_is(
    style: PageNumberPaginator, answer: PageResponse, told: PageInfo
) -> None:
    assert style.read(answer) == told


def test_a_second_page_after_a_short_first_one_shows_that_the_api_caps_its_pages() -> None:
    with pytest.raises(PaginationError, match="caps the page size: set size = 4"):
        PageNumberPaginator(stop="short", size=10).read(seen(2, 4, 8))


def test_no_pages_declared_and_records_sent_contradict_each_other() -> None:
    with pytest.raises(TotalError, match="declares 0 pages and sent 3 records"):
        PageNumberPaginator(total_pages="pages").read(seen(1, 3, pages=0))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "is 'None'"), (True, "is 'True'"), (-1, "is '-1'"), (1.0, "is '1.0'"), ("", "is ''"), ("x", "is 'x'"),
        ("٣", "is '٣'"), ("1.5", "is '1.5'"), ([7], "is '[7]'"), (10**30, "no whole number"), ("9" * 19, "is '999"),
        (10**18, "no whole number"), ("0" * 18 + "7", "is '000"),
    ],
)  # fmt: skip
def test_a_declared_total_that_is_no_number_is_a_broken_promise_with_advice(value: object, found: str) -> None:
    for style in (
        PageNumberPaginator(total_pages="n"),
        PageNumberPaginator(total_records="n"),
        NextUrlPaginator(total_records="n"),
    ):
        with pytest.raises(PaginationError) as error:
            style.read(seen(n=value, next=None, other=1))
        assert found in error.value.what
        assert "correct pagination.total_" in error.value.hint
        assert "the body has: n, next, other" in error.value.hint


def test_a_declared_total_that_is_not_there_names_what_is() -> None:
    with pytest.raises(PaginationError, match=r"`meta.pages` is not there .*total_pages.* the body has: meta, n"):
        PageNumberPaginator(total_pages="meta.pages").read(seen(meta={}, n=1))
    with pytest.raises(PaginationError, match="the body has: no keys"):
        PageNumberPaginator(total_pages="pages").read(PageResponse(1, 1, 1, None))


NEXT: list[tuple[NextUrlPaginator, dict[str, Any], PageInfo]] = [
    (NextUrlPaginator(), {"next": "https://api.test/s?p=2"}, PageInfo(cursor="https://api.test/s?p=2")),
    (NextUrlPaginator(), {"next": "/s?p=2"}, PageInfo(cursor="/s?p=2")),
    (NextUrlPaginator(), {"next": None}, PageInfo(last=3)),
    (NextUrlPaginator(), {"next": ""}, PageInfo(last=3)),
    (NextUrlPaginator(), {"next": False}, PageInfo(last=3)),
    (NextUrlPaginator(stop="missing"), {}, PageInfo(last=3)),
    (NextUrlPaginator(stop="missing"), {"next": "/2"}, PageInfo(cursor="/2")),
    (NextUrlPaginator(path="links.next"), {"links": {"next": "/2"}}, PageInfo(cursor="/2")),
    (NextUrlPaginator(path="@odata.nextLink", stop="missing"), {"@odata.nextLink": "/2"}, PageInfo(cursor="/2")),
    (NextUrlPaginator(total_records="n"), {"next": "/2", "n": 9}, PageInfo(cursor="/2", total=9)),
    (NextUrlPaginator(total_records="n"), {"next": None, "n": 9}, PageInfo(last=3, total=9)),
]


@pytest.mark.parametrize(("style", "meta", "told"), NEXT)
def test_a_body_tells_the_next_url_or_the_end(style: NextUrlPaginator, meta: dict[str, Any], told: PageInfo) -> None:
    assert style.read(seen(3, **meta)) == told


def test_a_missing_next_is_an_error_that_says_both_ways_out() -> None:
    with pytest.raises(PaginationError) as error:
        NextUrlPaginator(path="links.next").read(seen(links={}, data=None))
    assert "nothing says whether this is the last page" in error.value.what
    assert "correct pagination.path (the body has: data, links)" in error.value.hint
    assert 'pagination.stop = "next_missing"' in error.value.hint


@pytest.mark.parametrize("value", [2, True, {"href": "/2"}, ["/2"], "https://[x", "/2?c=\ud800"])
def test_a_next_that_is_no_url_is_a_broken_promise(value: object) -> None:
    with pytest.raises(PaginationError, match=r"`next` is not a URL but .*correct pagination.path") as error:
        NextUrlPaginator().read(seen(next=value))
    assert "None" not in error.value.what


def test_the_next_url_is_asked_for_as_it_is() -> None:
    assert NextUrlPaginator().ask(2, "/s?p=2") == PageRequest(url="/s?p=2")
    assert NextUrlPaginator().ask(1, None) == PageRequest()


paths = st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=4)


@given(paths, st.integers())
def test_what_stands_at_a_dotted_path_is_found(path: list[str], value: int) -> None:
    meta: Any = value
    for key in reversed(path):
        meta = {key: meta}
    assert find_path(meta, ".".join(path)) == value
    assert find_path({".".join(path): value}, ".".join(path)) == value
    assert find_path(meta, ".".join([*path, "z"])) is MISSING
    assert find_path(meta, ".".join(["z", *path])) is MISSING


def test_errors_name_a_dozen_keys_at_most_and_can_be_written_whatever_the_keys_are() -> None:
    assert describe_keys({str(n): 0 for n in range(99)}).count(",") == 11
    assert describe_keys({"\ud800": 1, "é": 2}).encode() == "é, \\ud800".encode()
    assert describe_keys([1]) == describe_keys({}) == describe_keys(None) == "no keys"


@given(st.integers(0, 10**18 - 1))
def test_a_number_is_read_whether_or_not_it_is_quoted(value: int) -> None:
    assert seen(n=value).number("n", "n") == seen(n=str(value)).number("n", "n") == value


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"style": "page", "stop": "short"}, "needs `size`"),
        ({"style": "page", "size_param": "n"}, "`size_param` needs `size`"),
        ({"style": "page", "stop": "empty", "total_pages": "p"}, "are mutually exclusive"),
        ({"style": "page", "stop": "empty", "total_records": "n", "total_pages": "p"}, "are mutually exclusive"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(table, Pagination)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (PageNumberPaginator(), 'page (page from 1, until stop = "empty")'),
        (PageNumberPaginator(param="p", start=0, total_pages="n"), "page (p from 0, until n)"),
        (NextUrlPaginator(path="links.next"), "next_url (in links.next, until null)"),
    ],
)
def test_a_style_says_what_it_is(style: Pagination, text: str) -> None:
    assert str(style) == text
