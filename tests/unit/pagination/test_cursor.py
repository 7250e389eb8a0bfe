"""Cursors: where they are found, how they are sent, and which end is an end."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.decode.fast import split
from option_a.ingest.errors import PaginationError
from option_a.ingest.http.request import build_request
from option_a.ingest.jsontext.values import Exact
from option_a.ingest.manifest.model import Load
from option_a.ingest.pagination import Cursor, CursorPaginator, PageInfo, PageResponse, Pagination
from option_a.ingest.task import Task
from tests.support.pipeline import DATE, RUN, source


def seen(
    page: int = 1, records: int = 1, so_far: int | None = None, /, *, last: Any = None, head: str = "", **meta: Any
) -> PageResponse:
    final = b"" if last is None else json.dumps(last).encode()
    return PageResponse(page, records, so_far or page * records, meta, {"x-next": head} if head else {}, final)


NULL = CursorPaginator(path="meta.next")
MISSES = CursorPaginator(path="next", stop="next_missing")
MORE = CursorPaginator(path="next", has_more="more")
EMPTY = CursorPaginator(path="next", stop="empty")
SHORT = CursorPaginator(path="next", stop="short", size=5)
LATER = CursorPaginator(record="id", stop="short", size=5)
HEADER = CursorPaginator(path="header:X-Next", stop="next_missing")
HEADED = CursorPaginator(path="header:X-Next")
AFTER = CursorPaginator(record="id", param="starting_after", has_more="has_more")
RECORDS = CursorPaginator(record="meta.id")

TOLD: list[tuple[CursorPaginator, PageResponse, PageInfo]] = [
    (NULL, seen(meta={"next": "c"}), PageInfo(cursor="c")),
    (NULL, seen(meta={"next": 0}), PageInfo(cursor=0)),
    (NULL, seen(meta={"next": ["a", 1, None]}), PageInfo(cursor=["a", 1, None])),
    (NULL, seen(3, meta={"next": None}), PageInfo(last=3)),
    (NULL, seen(3, meta={"next": ""}), PageInfo(last=3)),
    (NULL, seen(3, meta={"next": False}), PageInfo(last=3)),
    (NULL, seen(3, 0, 9, meta={"next": "c"}), PageInfo(cursor="c")),
    (MISSES, seen(next="c"), PageInfo(cursor="c")),
    (MISSES, seen(4), PageInfo(last=4)),
    (MORE, seen(more=True, next="c"), PageInfo(cursor="c")),
    (CursorPaginator(path="next", has_more="more", stop="has_more"), seen(5, more=False, next="c"), PageInfo(last=5)),
    (MORE, seen(5, more=False, next="c"), PageInfo(last=5)),
    (EMPTY, seen(next="c"), PageInfo(cursor="c")),
    (EMPTY, seen(6, 0, 9, next="c"), PageInfo(last=6)),
    (SHORT, seen(1, 5, next="c"), PageInfo(cursor="c")),
    (SHORT, seen(1, 4, next="c"), PageInfo(cursor="c", may_be_last=True)),
    (SHORT, seen(1, 4), PageInfo(last=1)),
    (SHORT, seen(2, 4, 9, next="c"), PageInfo(last=2)),
    (SHORT, seen(2, 0, 4, next="c"), PageInfo(last=2)),
    (SHORT, seen(1, 5, next=None), PageInfo(last=1)),
    (HEADER, seen(head="c"), PageInfo(cursor="c")),
    (HEADER, seen(7), PageInfo(last=7)),
    (AFTER, seen(last={"id": "z"}, has_more=True), PageInfo(cursor="z")),
    (AFTER, seen(8, last={"id": "z"}, has_more=False), PageInfo(last=8)),
    (RECORDS, seen(last={"meta": {"id": 10**30}}), PageInfo(cursor=10**30)),
    (RECORDS, seen(9, 0, 9), PageInfo(last=9)),
    (CursorPaginator(path="next", total_records="n"), seen(next="c", n=7), PageInfo(cursor="c", total=7)),
    (CursorPaginator(path="next", total_records="n"), seen(2, next=None, n=7), PageInfo(last=2, total=7)),
]


@pytest.mark.parametrize(("style", "answer", "told"), TOLD)
def test_an_answer_tells_the_next_cursor_or_the_end(
    style: CursorPaginator, answer: PageResponse, told: PageInfo
) -> None:
    assert style.read(answer) == told


@pytest.mark.parametrize(("style", "answer", "told"), TOLD)
def test_a_declared_total_is_told_along_whatever_else_is(
    style: CursorPaginator, answer: PageResponse, told: PageInfo
) -> None:
    declared, replace = {**answer.headers, "x-total": "41"}, msgspec.structs.replace
    found = replace(style, total_records="header:X-Total").read(replace(answer, headers=declared))
    assert found == replace(told, total=41)


BROKEN: list[tuple[CursorPaginator, PageResponse, str]] = [
    (NULL, seen(data=None), r"`meta.next` is not there, so nothing says .*the body has: data\).*next_missing"),
    (MORE, seen(next="c"), r"`more` is not there .*pagination.has_more"),
    (MORE, seen(more=True), "there are more pages, but `next` has no cursor"),
    (MORE, seen(more=True, next=None), "there are more pages, but `next` has no cursor"),
    (EMPTY, seen(next=None), "there are more pages, but `next` has no cursor"),
    (AFTER, seen(last={"key": 1}, has_more=True), r"`id` of the last record has no cursor .*last record has: key"),
    (AFTER, seen(1, 0, has_more=True), "has no cursor"),
    (RECORDS, seen(last={"meta": {"id": {"a": 1}}}), "`meta.id` of the last record is not a cursor but"),
    (
        NULL,
        seen(meta={"next": True}),
        r"`meta.next` is not a cursor but 'True' .*correct pagination.path .*has: meta\)",
    ),
    (HEADED, seen(), r"`header:X-Next` is not there, .*the response has the headers: no keys\)"),
    (NULL, seen(meta={"next": "\ud800"}), "`meta.next` is not a cursor"),
    (SHORT, seen(1, 5, data=None), r"there are more pages, but `next` has no cursor .*the body has: data\)"),
    (LATER, seen(1, 5, last={"key": 1}), r"`id` of the last record has no cursor .*the last record has: key"),
    (LATER, seen(2, 5, 10, last={"id": None}), "`id` of the last record has no cursor"),
    (SHORT, seen(2, 3, 6, next="c"), r"had 3 records, fewer than size = 5, .*caps the page size: set size = 3\)$"),
    (SHORT, seen(2, 5, 8, next="c"), "caps the page size: set size = 3"),
]


@pytest.mark.parametrize(("style", "answer", "message"), BROKEN)
def test_a_promise_that_is_broken_is_an_error_with_the_way_out(
    style: CursorPaginator, answer: PageResponse, message: str
) -> None:
    with pytest.raises(PaginationError, match=message):
        style.read(answer)


def test_the_first_page_is_asked_for_without_a_cursor_and_with_the_size() -> None:
    style = CursorPaginator(path="n", size=9, size_param="limit")
    assert style.ask(1, None).params == {"limit": "9"}
    assert style.ask(1, None).slots == {"cursor": None}
    assert style.ask(2, "c").params == {"cursor": "c", "limit": "9"}
    assert CursorPaginator(path="n", start="*").ask(1, None).params == {"cursor": "*"}
    assert CursorPaginator(path="n", stop="short", size=9).ask(2, "c").params == {"cursor": "c"}


@pytest.mark.parametrize(("cursor", "text"), [("a b", "a b"), (7, "7"), (1.5, "1.5"), ([1, "a"], '[1,"a"]')])
def test_a_cursor_keeps_its_type_in_a_body_and_is_text_elsewhere(cursor: Cursor, text: str) -> None:
    assert CursorPaginator(path="n", param="q.c", send="body").ask(2, cursor).fields == {"q.c": cursor}
    assert CursorPaginator(path="n", param="X-C", send="header").ask(2, cursor).headers == {"X-C": text}
    assert CursorPaginator(path="n").ask(2, cursor).params == {"cursor": text}


@pytest.mark.parametrize("cursor", ["a\nb", "a\r", "\u2028", "\u00e9"])
def test_a_cursor_that_no_header_may_hold_is_an_error(cursor: str) -> None:
    with pytest.raises(PaginationError, match=r"no header may.*pagination\.send"):
        CursorPaginator(path="n", param="X-C", send="header").ask(2, cursor)


EXACT = [
    (b"1700000000.123456789", Exact("1700000000.123456789")), (b"1.10", Exact("1.10")), (b"1e999", Exact("1e999")),
    (b'["a", 0.1234567890123456789]', Exact('["a",0.1234567890123456789]')), (b"1.5", 1.5), (b'["a",1.5]', ["a", 1.5]),
    (b'[{"t":1.10}]', Exact('[{"t":1.10}]')), (b'[{"t":1.5}]', [{"t": 1.5}]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "cursor"), EXACT)
def test_a_cursor_keeps_every_digit_wherever_it_stands(text: bytes, cursor: Cursor) -> None:
    record = b'{"ts": %b}' % text
    assert CursorPaginator(record="ts").read(PageResponse(1, 1, 1, None, {}, record)).cursor == cursor
    for body in (b'{"data":[{"id":1}],"ts":%b}' % text, b'{"data":[],"ts":%b}' % text):
        assert CursorPaginator(path="ts").read(PageResponse(1, 1, 1, split(body, None).meta)).cursor == cursor


@pytest.mark.parametrize(("text", "cursor"), EXACT)
def test_it_is_sent_digit_for_digit_and_stays_a_number_in_a_body(text: bytes, cursor: Cursor) -> None:
    kept = msgspec.json.decode(msgspec.json.encode(Load("r", "real", "x", 0.0, cursor=cursor)), type=Load).cursor
    assert kept == cursor
    own = text.replace(b", ", b",")
    assert CursorPaginator(path="n").ask(2, kept).params == {"cursor": own.decode()}
    task = Task("s", DATE, RUN)
    placed = {"style": "cursor", "path": "n", "param": "q.c", "send": "body"}
    sent = build_request(source(method="POST", pagination=placed), task, 2, kept)
    assert sent.body == b'{"q":{"c":%b}}' % own
    named = source(method="POST", body={"c": "{cursor}"}, pagination={"style": "cursor", "path": "n"})
    assert build_request(named, task, 2, kept).body == b'{"c":%b}' % own


@given(
    st.text()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just([1, "a", None])
)
def test_the_manifest_gives_a_cursor_back_as_it_was(cursor: Cursor) -> None:
    load = Load(run="r", origin="real", shape="x", started=0.0, cursor=cursor)
    found = msgspec.json.decode(msgspec.json.encode(load), type=Load).cursor
    assert (found, type(found)) == (cursor, type(cursor))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "either `path`"),
        ({"path": "a", "record": "b"}, "either `path`"),
        ({"record": "b", "stop": "null"}, "goes with `path`"),
        ({"record": "b", "stop": "next_missing"}, "goes with `path`"),
        ({"path": "a", "stop": "has_more"}, "needs `has_more`"),
        ({"path": "a", "stop": "empty", "has_more": "m"}, "are mutually exclusive"),
        ({"path": "a", "stop": "short"}, "need `size`"),
        ({"path": "a", "size_param": "n"}, "need `size`"),
        ({"path": "a", "stop": "total"}, "Invalid enum value"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({"style": "cursor", **table}, Pagination)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (NULL, 'cursor (cursor from meta.next, until stop = "null")'),
        (AFTER, "cursor (starting_after from id of the last record, until has_more)"),
        (RECORDS, 'cursor (cursor from meta.id of the last record, until stop = "empty")'),
    ],
)
def test_a_style_says_what_it_is(style: CursorPaginator, text: str) -> None:
    assert str(style) == text
