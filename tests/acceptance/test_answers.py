"""What APIs send when they are ill: the partition fails and says where and why, and the others are complete."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.acceptance.command import DAY, Place
from tests.support.apis.page_server import ApiRequest, ApiResponse, PageFunction, data_body, serve_api

SICK = """
[sources.sick]
url = "{url}/sick"
records = "data"
date_param = "date"
max_pages = 6
pagination = {{ style = "page", {style} }}
[sources.well]
url = "{url}/well"
date_param = "date"
pagination = {{ style = "page", total_pages = "pages" }}
"""
HTML = b"<!DOCTYPE html><title>Sign in</title>"


class Case(NamedTuple):
    """An answer to page 2 of 3, and the words of the error."""

    answer: ApiResponse
    said: tuple[str, ...]


BODIES = {
    "an empty body": Case(ApiResponse(b""), ("not JSON", "the API sent an empty body")),
    "HTML with 200": Case(ApiResponse(HTML, type="text/html"), ("not JSON", "HTML")),
    "invalid UTF-8": Case(ApiResponse(b'{"data":[{"name":"\xff"}],"pages":3}'), ("not JSON", "UTF-8")),
    "a body cut short": Case(ApiResponse(b'{"data":[{"id":3},{"id":'), ("not JSON",)),
    "NaN": Case(ApiResponse(b'{"data":[{"id":NaN}],"pages":3}'), ("not JSON",)),
    "Infinity beside the records": Case(ApiResponse(b'{"data":[{"id":3}],"pages":3,"took":Infinity}'), ("not JSON",)),
    "records that are no objects": Case(
        ApiResponse(b'{"data":[{"id":3},4],"pages":3}'), ("record 2 is not an object but 4",)
    ),
    "records that are no list": Case(
        ApiResponse(b'{"data":{"id":3},"pages":3}'), ("`data` is not a list", "`records`")
    ),
    "no records": Case(ApiResponse(b'{"error":"quota","pages":3}'), ("no records at `data`", "error, pages")),
    "a refusal": Case(ApiResponse(b'{"error":"no"}', 403), ("the API answered 403", "credentials")),
}


@pytest.mark.parametrize("case", BODIES.values(), ids=BODIES)
def test_an_answer_that_is_none_fails_its_partition_alone(option_a: Place, case: Case) -> None:
    with serve_api(three(case.answer)) as api:
        option_a.declare(SICK.format(url=api.url, style='total_pages = "pages"'))
        done = option_a("run", "--date", DAY)
    fails(option_a, done.code, done.err, 2, *case.said)
    (body,) = (option_a.lake / "dead" / "source=sick" / f"ingestion_date={DAY}").rglob("*.body")
    assert body.read_bytes() == case.answer.body
    assert body.name == "page=000002.body"
    assert set(option_a.pages("sick")) <= {1, 3}


def test_a_total_that_is_promised_and_not_there_fails_the_partition(option_a: Place) -> None:
    with serve_api(three(ApiResponse(b'{"data":[{"id":3},{"id":4}]}'))) as api:
        option_a.declare(SICK.format(url=api.url, style='total_pages = "pages"'))
        done = option_a("run", "--date", DAY)
    fails(option_a, done.code, done.err, 2, "`pages` is not there", "pagination.total_pages")


def test_a_404_for_the_first_page_is_a_failure_and_not_an_empty_day(option_a: Place) -> None:
    def pages(asked: ApiRequest) -> ApiResponse:
        return ApiResponse(b'{"error":"no such thing"}', 404) if asked.name == "sick" else ApiResponse(well(asked))

    with serve_api(pages) as api:
        option_a.declare(SICK.format(url=api.url, style='stop = "empty"'))
        done = option_a("run", "--date", DAY)
        assert [asked.name for asked in api.asked].count("sick") == 1, "a permanent error is asked for once"
    fails(option_a, done.code, done.err, 1, "the API answered 404", "`url`")
    (body,) = (option_a.lake / "dead").rglob("*.body")
    assert body.read_bytes() == b'{"error":"no such thing"}'


def test_a_page_that_is_the_one_before_it_again_is_no_end(option_a: Place) -> None:
    """Some APIs answer what is past the end with the last page: until an empty page, that never ends."""

    def pages(asked: ApiRequest) -> bytes:
        return well(asked) if asked.name == "well" else data_body([b'{"id":%d}' % min(asked.page, 3)])

    with serve_api(pages) as api:
        option_a.declare(SICK.format(url=api.url, style='stop = "empty"'))
        done = option_a("run", "--date", DAY)
    fails(option_a, done.code, done.err, 4, "page 4 repeats page 3", "total_pages", "repeats")


def test_pages_without_end_are_capped(option_a: Place) -> None:
    def pages(asked: ApiRequest) -> bytes:
        return well(asked) if asked.name == "well" else data_body([b'{"id":%d}' % asked.page])

    with serve_api(pages) as api:
        option_a.declare(SICK.format(url=api.url, style='stop = "empty"'))
        done = option_a("run", "--date", DAY)
        assert max(asked.page for asked in api.asked) == 6
    fails(option_a, done.code, done.err, 7, "no end after 6 pages", "max_pages")


def test_a_total_that_does_not_match_is_loaded_once_more_and_then_fails(option_a: Place) -> None:
    def pages(asked: ApiRequest) -> bytes:
        if asked.name == "well":
            return well(asked)
        return data_body([b'{"id":%d}' % asked.page] if asked.page <= 3 else [], count=4)

    with serve_api(pages) as api:
        option_a.declare(SICK.format(url=api.url, style='total_records = "count", size = 1'))
        done = option_a("run", "--date", DAY)
        assert sorted(asked.page for asked in api.asked if asked.name == "sick") == [1, 1, 2, 2, 3, 3, 4, 4]
    fails(option_a, done.code, done.err, None, "3 records landed, the API declares 4", 'total = "at_least"')


def test_an_api_that_ends_early_once_is_complete_after_all(option_a: Place) -> None:
    """A record that came while the pages were read: the second load reconciles."""
    seen: list[int] = []

    def pages(asked: ApiRequest) -> bytes:
        seen.append(asked.page)
        late = 2 if seen.count(1) > 1 else 1
        return data_body([b'{"id":%d}' % n for n in range(late)] if asked.page == 1 else [], count=2)

    with serve_api(pages) as api:
        option_a.declare(
            SICK.partition("[sources.well]")[0].format(url=api.url, style='total_records = "count", size = 2')
        )
        done = option_a("run", "--date", DAY)
    assert done.code == 0, done.err
    assert option_a.lines("sick") == [b'{"id":0}', b'{"id":1}']
    assert "restarted" in done.err


def well(asked: ApiRequest) -> bytes:
    return data_body([b'{"id":%d}' % n for n in range(asked.page * 2 - 1, asked.page * 2 + 1)], pages=3)


def three(second: ApiResponse) -> PageFunction:
    """Three pages of two records; page 2 of `sick` is another."""
    return lambda asked: second if asked.name == "sick" and asked.page == 2 else well(asked)


def fails(option_a: Place, code: int, err: str, page: int | None, *said: str) -> None:
    """The run failed for `sick` with these words and its place, and `well` is complete."""
    assert code == 1
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: sick {DAY} page {page}: " if page else f"error: sick {DAY}: ")
    for words in said:
        assert words in line, line
    assert "when the cause is fixed: option-a redrive" in err
    rows = option_a("status", "--json").json()["partitions"]
    states = {row["source"]: row["state"] for row in rows if row["date"] == DAY}
    assert states == {"sick": "failed", "well": "complete"}
    assert option_a.lines("well") == [b'{"id":%d}' % n for n in range(1, 7)]
    (letter,) = option_a("dead", "--json").json()
    assert (letter["source"], letter["date"]) == ("sick", DAY)
    assert letter["cause"]["message"] in line
