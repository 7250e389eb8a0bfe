"""An examination of any API whatever: three requests at most, and a table that is taken, or an error in words."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from option_a.discovery.discover import REQUESTS, Discovery
from option_a.discovery.report import as_toml
from option_a.discovery.url import read_query
from option_a.ingest.config.read import read_sources
from option_a.ingest.errors import HttpError, PermanentError
from option_a.ingest.ports import Request, Response

URL = "https://api.test/v1/orders"
TODAY = dt.date(2026, 11, 24)
NEXT = ["next", "prev", "next_url", "@odata.nextLink", "next_cursor", "nextPageToken", "cursor", "after", "has_more"]
COUNTS = ["pages", "total", "count", "total_pages", "offset", "page", "number", "items"]
KEYS = st.sampled_from([*NEXT, *COUNTS, "meta", "paging", "data", "a.b", "", "é", "id"])
TEXTS = ["", "abc", f"{URL}?page=2", "https://else.test/", "/x", "?p=2", "http://[", "²", "10"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(TEXTS),
    st.text(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ROWS = st.lists(st.fixed_dictionaries({"id": st.integers(0, 99)}), max_size=30)
AROUND = st.dictionaries(KEYS, VALUES, max_size=6)
BODIES = VALUES | ROWS | st.builds(lambda around, rows: {**around, "data": rows}, AROUND, ROWS)
NAMES = ["link", "x-total-count", "x-total-pages", "ratelimit-policy", "x-ratelimit-limit", "content-type"]
SAID = ["", "²", "100", "9" * 40, f'<{URL}?page=2>; rel="next"', "<", "text/csv", "100;w=60", "application/x-ndjson"]
HEADERS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(SAID), max_size=3)
QUERIES = st.sampled_from(
    ["", "?page=1&per_page=10", "?offset=0", "?day=2026-11-01", "?from=2026-11-01&to=2026-11-02", "?q=ä&limit=5"]
)
Answer = tuple[Any, dict[str, str]]
slowly = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


class Scripted:
    """Answers each request with the next of its answers, and a 404 after the last."""

    def __init__(self, answers: list[tuple[Any, dict[str, str]]]) -> None:
        self.answers, self.asked = answers, 0

    def __call__(self, request: Request) -> Response:
        self.asked += 1
        if self.asked > len(self.answers):
            raise HttpError("the API answered 404", status=404)
        body, headers = self.answers[self.asked - 1]
        return Response(200, headers, json.dumps(body).encode())


def examined(api: Scripted, query: str, given: dict[str, Any] | None = None) -> str:
    return as_toml(Discovery("orders", read_query(URL + query), given or {}, lambda source: api).run(TODAY))


@slowly
@given(st.lists(st.tuples(BODIES, HEADERS), min_size=1, max_size=3), QUERIES)
def test_any_answers_end_in_a_table_that_is_taken_or_in_an_error_with_words(
    answers: list[tuple[Any, dict[str, str]]], query: str
) -> None:
    api = Scripted(answers)
    with suppress(PermanentError):
        assert read_sources(examined(api, query), {}).keys() == {"orders"}
    assert 1 <= api.asked <= REQUESTS


def test_the_first_request_is_the_url_as_it_is_and_what_it_held_stays() -> None:
    rows = [{"id": n} for n in range(10)]
    api = Scripted([({"data": rows, "total": 30}, {}), ({"data": [{"id": n + 10} for n in range(10)]}, {})])
    table = tomllib.loads(examined(api, "?page=1&per_page=10&status=open"))["sources"]["orders"]
    assert table["params"] == {"status": "open"}
    assert table["pagination"] == {"style": "page", "size": 10, "size_param": "per_page", "total_records": "total"}


def test_a_window_is_taken_from_the_url() -> None:
    api = Scripted([([{"id": 1}], {})])
    table = tomllib.loads(examined(api, "?from=2026-11-01&to=2026-11-02"))["sources"]["orders"]
    assert table["window"] == {"from": "from", "to": "to", "format": "date"}


def test_a_rate_that_is_told_is_declared_and_a_limit_without_a_time_is_a_doubt() -> None:
    for headers, said in (
        ({"ratelimit-policy": "100;w=60"}, 'rate = "100/min"'),
        ({"x-ratelimit-limit": "60"}, "unsure: the rate"),
    ):
        assert said in examined(Scripted([([{"id": 1}], headers)]), "")


def test_where_every_guess_is_refuted_one_response_is_all() -> None:
    rows = [{"id": n} for n in range(10)]
    api = Scripted([(rows, {})] * 3)
    text = examined(api, "")
    assert 'pagination = { style = "none" }' in text
    assert "`page`, `offset` led to no other records" in text
    assert api.asked == 3


def page_of(begin: int, **beside: Any) -> tuple[dict[str, Any], dict[str, str]]:
    return {**beside, "data": [{"id": n} for n in range(begin, begin + 100)]}, {}


def test_a_count_of_the_pages_own_records_is_no_total() -> None:
    first, second = page_of(0, count=100, page=1), page_of(100, count=100, page=2)
    api = Scripted([first, second, second])
    text = examined(api, "?page=1")
    assert tomllib.loads(text)["sources"]["orders"]["pagination"] == {"style": "page"}
    assert "page 2 holds others: it counts the records of a page" in text
    assert api.asked == 3
    offset = examined(Scripted([first, second, second]), "?offset=0&limit=100")
    assert tomllib.loads(offset)["sources"]["orders"]["pagination"] == {"style": "offset", "size": 100}


def test_a_total_of_as_many_records_as_the_only_page_has_stays_a_total() -> None:
    first = page_of(0, count=100, page=1)
    afters: list[list[tuple[Any, dict[str, str]]]] = [[], [({"count": 100, "data": []}, {})], [first]]
    for after in afters:
        table = tomllib.loads(examined(Scripted([first, *after]), "?page=1"))["sources"]["orders"]
        assert table["pagination"] == {"style": "page", "size": 100, "total_records": "count"}
        assert "statuses" not in table


def test_a_total_that_is_an_estimate_is_no_end() -> None:
    api = Scripted([page_of(0, count=100), page_of(100, count=100)])
    table = tomllib.loads(examined(api, "?page=1", {"total": "at_least"}))["sources"]["orders"]
    assert table["pagination"] == {"style": "page", "size": 100, "total_records": "count", "stop": "empty"}


@pytest.mark.parametrize(
    ("told", "table"),
    [
        ({"total_pages": 3}, 'style = "page", total_pages = "total_pages"'),
        ({"meta": {"last_page": 3}}, 'style = "page", total_pages = "meta.last_page"'),
        ({"total": 21}, 'style = "none", total_records = "total"'),
        ({"has_more": True}, 'style = "page", stop = "has_more", has_more = "has_more"'),
    ],
)
def test_a_sign_of_more_pages_that_cannot_be_asked_for_is_said_and_ends_in_no_table_that_loses_them(
    told: dict[str, Any], table: str
) -> None:
    page: Answer = ({"data": [{"id": n} for n in range(7)], **told}, {})
    toml = examined(Scripted([page, page, page]), "?pg=1")
    assert table in toml
    assert "no way to page 2 was found" in toml
    assert "no sign of more" not in toml
    assert read_sources(toml, {})["orders"].pagination is not None


def test_a_count_of_the_page_beside_a_cursor_is_no_total() -> None:
    first: Answer = ({"data": [{"id": n} for n in range(5)], "meta": {"next_cursor": "c5", "count": 5}}, {})
    second: Answer = ({"data": [{"id": n} for n in range(5, 8)], "meta": {"next_cursor": None, "count": 3}}, {})
    toml = examined(Scripted([first, second]), "")
    assert 'path = "meta.next_cursor"' in toml
    assert "total_records" not in toml


def test_pages_that_are_counted_from_nought_begin_there() -> None:
    def page(number: int) -> Answer:
        return {"content": [{"id": f"{number}.{n}"} for n in range(5)], "number": number, "totalPages": 3}, {}

    assert "start = 0" in examined(Scripted([page(0), page(1)]), "?size=5")


def test_a_url_that_is_beyond_the_first_page_is_declared_from_the_first_one() -> None:
    link = {"link": f'<{URL}?page=3>; rel="next"'}
    first = ([{"id": n} for n in range(5)], link)
    toml = examined(Scripted([first, ([{"id": 9}], {})]), "?page=2&kind=a")
    assert 'style = "link"' in toml
    assert 'params = { page = "1", kind = "a" }' in toml


def test_an_api_that_gives_fewer_than_were_asked_for_caps_its_pages() -> None:
    first, second = ({"data": [{"id": n} for n in range(at, at + 5)], "offset": at} for at in (0, 5))
    toml = examined(Scripted([(first, {}), (second, {})]), "?limit=20&offset=0")
    assert "size = 5" in toml
