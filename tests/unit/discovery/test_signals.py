"""What the doctor reads in URLs and answers, and what it makes of that."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.discovery.candidates import candidates
from option_a.discovery.lint import Asked, advice, warnings
from option_a.discovery.report import Answered, name_of, toml_value
from option_a.discovery.signals import declared_rate, read_rate, read_signals
from option_a.discovery.url import read_query
from option_a.ingest.decode.fast import split
from option_a.ingest.decode.lossless import DecodedBody
from option_a.ingest.pagination import PageResponse
from tests.support.pipeline import source

URL = "https://api.test/v1/orders"
FULL = 50
RECORDS: list[dict[str, Any]] = [{"id": n, "at": "2026-11-01T08:00:00Z"} for n in range(FULL)]
LINK = {"link": f'<{URL}?page=2>; rel="next"'}

BODIES: list[tuple[str, dict[str, Any], dict[str, str], dict[str, Any]]] = [
    ("", {}, LINK, {"style": "link"}),
    ("", {}, {**LINK, "x-total-count": "120"}, {"style": "link", "total_records": "header:x-total-count"}),
    ("", {"next": f"{URL}?page=2", "previous": None, "count": 120},
     {}, {"style": "next_url", "path": "next", "total_records": "count"}),
    ("", {"@odata.nextLink": f"{URL}?$skip=50"}, {},
     {"style": "next_url", "path": "@odata.nextLink", "stop": "next_missing"}),
    ("", {"_links": {"next": {"href": "/v1/orders?page=2"}}}, {}, {"style": "next_url", "path": "_links.next.href"}),
    ("", {"meta": {"next_cursor": "abc"}}, {}, {"style": "cursor", "path": "meta.next_cursor", "param": "cursor"}),
    ("", {"nextPageToken": "abc"}, {}, {"style": "cursor", "path": "nextPageToken", "param": "pageToken"}),
    ("", {"next_page_token": "abc"}, {}, {"style": "cursor", "path": "next_page_token", "param": "page_token"}),
    ("", {"paging": {"next": {"after": "NTI="}}}, {},
     {"style": "cursor", "path": "paging.next.after", "param": "after"}),
    ("", {"pageInfo": {"endCursor": "x", "hasNextPage": True}}, {},
     {"style": "cursor", "path": "pageInfo.endCursor", "param": "after", "has_more": "pageInfo.hasNextPage"}),
    ("", {"object": "list", "has_more": True}, {},
     {"style": "cursor", "record": "id", "param": "starting_after", "has_more": "has_more"}),
    ("", {"page": 1, "total_pages": 3, "total": 120}, {},
     {"style": "page", "total_pages": "total_pages", "total_records": "total"}),
    ("?_page=1&_per_page=50", {"first": 1, "prev": None, "next": 2, "pages": 3, "items": 120}, {},
     {"style": "page", "param": "_page", "size": 50, "size_param": "_per_page", "total_pages": "pages",
      "total_records": "items"}),
    ("", {"number": 0, "total": 120}, {}, {"style": "page", "start": 0, "size": 50, "total_records": "total"}),
    ("", {"page": 0, "totalElements": 120}, {},
     {"style": "page", "start": 0, "size": 50, "total_records": "totalElements"}),
    ("", {"offset": 0, "limit": 50, "total": 120}, {}, {"style": "offset", "size": 50, "total_records": "total"}),
    ("?skip=0&top=50", {}, {}, {"style": "offset", "param": "skip", "size_param": "top", "size": 50}),
    ("", {}, {"x-wp-totalpages": "3"}, {"style": "page", "total_pages": "header:x-wp-totalpages"}),
    ("?page=1", {"has_more": True}, {}, {"style": "page", "has_more": "has_more"}),
    ("", {"next": None, "count": 50}, {}, {"style": "page", "size": 50, "total_records": "count"}),
    ("", {"next": None}, {}, {"style": "next_url", "path": "next"}),
    ("", {"status": "ok"}, {}, {"style": "page"}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "beside", "headers", "table"), BODIES)
def test_the_first_guess_is_what_the_answer_tells(
    query: str, beside: dict[str, Any], headers: dict[str, str], table: dict[str, Any]
) -> None:
    signs = read_signals({**beside, "data": None}, headers, FULL, RECORDS[0])
    first = candidates(signs, read_query(URL + query), FULL, RECORDS[0])[0]
    assert first.table == table
    declared = source(pagination=first.table)
    found = split(json.dumps({**beside, "data": RECORDS}).encode(), "data")
    declared.pagination.read(PageResponse(1, FULL, FULL, found.meta, headers, b'{"id":49}'))


def test_where_nothing_tells_the_two_commonest_ways_are_tried_in_turn() -> None:
    found = candidates(read_signals({}, {}, FULL, {}), read_query(URL), FULL, {})
    assert [guess.table["style"] for guess in found] == ["page", "offset"]


def test_a_url_is_taken_apart() -> None:
    query = read_query(URL + "?status=open&date=2026-11-20&page=1&per_page=50")
    assert (query.url, query.number, query.size) == (URL, ("page", 1), ("per_page", 50))
    assert (query.date, query.window) == (("date", dt.date(2026, 11, 20)), None)
    assert query.params({"style": "page", "size_param": "per_page"}) == {"status": "open"}
    assert query.params({"style": "link"}) == {"status": "open", "page": "1", "per_page": "50"}
    assert read_query(URL + "?date=2026-13-99&x=2026-11-1").date is None


@pytest.mark.parametrize(
    ("query", "window"),
    [
        ("?updated_from=2026-11-01&updated_to=2026-11-02", ("updated_from", "updated_to", "date")),
        ("?since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z", ("since", "until", "iso")),
        ("?created[gte]=2026-11-01&created[lt]=2026-11-02", ("created[gte]", "created[lt]", "date")),
        ("?a=2026-11-01&b=2026-11-02", None),
    ],
)
def test_two_dates_are_a_window(query: str, window: tuple[str, str, str] | None) -> None:
    assert read_query(URL + query).window == window


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({"ratelimit-policy": '"default";q=100;w=60'}, "100/min"),
        ({"ratelimit-policy": "10;w=1"}, "10/s"),
        ({"ratelimit-limit": "5000, 5000;w=3600"}, "5000/h"),
        ({"ratelimit-policy": "10;w=7"}, None),
        ({"x-ratelimit-limit": "5000"}, None),
    ],
)
def test_a_rate_is_taken_where_its_time_is_told(headers: dict[str, str], rate: str | None) -> None:
    assert read_rate(headers) == rate
    assert (declared_rate(headers) is None) == ("ratelimit-policy" in headers)


def test_the_fields_that_hold_dates_are_named() -> None:
    first = {"id": 1, "at": "2026-11-01T08:00:00Z", "day": "2026-11-01", "note": "2026"}
    assert read_signals({}, {}, 1, first).dates == ("at", "day")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.test/v1/Sales.Orders?x=1", "orders"), ("https://api.test/shop/orders.json", "orders"),
        ("https://api.test/orders/v2/", "orders"), ("https://api.test", "source"), ("https://api.test/ä/", "source"),
    ],
)  # fmt: skip
def test_a_source_is_named_after_its_url(url: str, name: str) -> None:
    assert name_of(url) == name


values = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(codec="utf-8"), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(values)
def test_any_value_is_the_same_read_back_from_toml(value: Any) -> None:
    assert tomllib.loads(f"key = {toml_value(value)}") == {"key": value}


def asked(
    pagination: dict[str, Any],
    beside: dict[str, Any],
    records: int = FULL,
    second: list[dict[str, Any]] | None = None,
    **keys: Any,
) -> list[str]:
    """The warnings for a source so declared, whose first page is so."""
    declared, shown = source(pagination=pagination, **keys), [{"id": n} for n in range(records)]
    headers = beside.pop("headers", {})
    first = split(json.dumps({**beside, "data": shown}).encode(), "data")
    told = declared.pagination.read(PageResponse(1, records, records, first.meta, headers, b'{"id":1}'))
    signs = read_signals(first.meta, headers, records, {})
    after = None if second is None else Answered(split(json.dumps({"data": second}).encode(), "data"), {})
    return warnings(Asked(declared, Answered(first, headers, told), signs, after))


OTHERS = [{"id": f"x{n}"} for n in range(FULL)]
NONE: dict[str, Any] = {"style": "none"}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (lambda: asked(NONE, {"headers": LINK}, 49), "the Link header's rel=next leads on, and pagination (none"),
        (lambda: asked(NONE, {"next": f"{URL}?page=2"}, 49), "`next` leads on"),
        (lambda: asked(NONE, {"next_cursor": "abc"}, 49), "`next_cursor` leads on"),
        (lambda: asked(NONE, {"has_more": True}, 49), "`has_more` = true leads on"),
        (lambda: asked(NONE, {"total_pages": 3}, 49), "`total_pages` = 3 leads on"),
        (lambda: asked(NONE, {}, 100), "the only page holds exactly 100 records: is that the API's cap?"),
        (lambda: asked(NONE, {"count": 100}, 100), "100 records, and `count` says as many"),
        (lambda: asked(NONE, {"total": 120}, 49), "`total` says 120 records, and pagination (none"),
        (lambda: asked({"style": "page", "size": 100, "size_param": "n"}, {}, 50, OTHERS), "set size = 50, or correct"),
        (lambda: asked({"style": "page"}, {}, 49, [{"id": 3}]), "page 2 repeats page 1"),
        (lambda: asked({"style": "page"}, {}, 49, [{"id": 3}, *OTHERS]), "1 of the 51 records of page 2 are on page 1"),
        (lambda: asked({"style": "page"}, {}, 49, OTHERS, fields={"drop": ["mial"]}), "`fields` names `mial`"),
    ],
)
def test_what_may_be_lost_is_warned_of(found: Any, said: str) -> None:
    (warning,) = found()
    assert said in warning


@pytest.mark.parametrize(
    "found",
    [
        lambda: asked(NONE, {}, 49),
        lambda: asked(NONE, {"total": 49, "next": None, "has_more": False}, 49),
        lambda: asked({"style": "page"}, {}, 50, OTHERS),
        lambda: asked({"style": "page", "total_pages": "pages"}, {"pages": 3, "total": 120}, 50, OTHERS),
        lambda: asked({"style": "page", "size": 50, "size_param": "n"}, {}, 50, OTHERS),
        lambda: asked(NONE, {"total": 120}, 49, total="ignore"),
    ],
)
def test_where_nothing_is_lost_nothing_is_said(found: Any) -> None:
    assert found() == []


def test_a_total_that_nothing_checks_is_pointed_out() -> None:
    signs = read_signals({"total": 120}, {}, FULL, {})
    answered = Answered(split(b"[]", None), {})
    for table, said in (({"style": "page"}, 1), ({"style": "page", "total_records": "total"}, 0)):
        assert len(advice(Asked(source(pagination=table), answered, signs))) == said
    assert advice(Asked(source(total="ignore"), answered, signs)) == []


def test_an_answer_is_counted_by_its_records() -> None:
    assert Answered(DecodedBody(b"{}\n", 1, None, "@"), {}).records == 1
