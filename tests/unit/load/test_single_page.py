"""One answer read by itself: where its records are, and what it tells of the next page."""

from __future__ import annotations

import pytest

from option_a.ingest.decode.lossless import DecodedBody
from option_a.ingest.load.single_page import page_info_of, records_of
from option_a.ingest.pagination import PageInfo
from option_a.ingest.ports import Response
from tests.support.pipeline import source

TWO_LISTS = b'{"here":[{"id":1},{"id":2}],"there":[{"id":3}]}'
KEYSET = {"style": "cursor", "record": "id", "param": "after", "stop": "empty"}


@pytest.mark.parametrize(
    ("declared", "where", "read"),
    [(None, "here", 2), (None, "there", 1), ("there", "here", 1), ("there", None, 1)],
)
def test_records_are_where_the_source_says_and_else_where_they_were_before(
    declared: str | None, where: str | None, read: int
) -> None:
    found = records_of(source(records=declared), Response(200, {}, TWO_LISTS), where)
    assert (found.records, found.path) == (read, declared or where)


@pytest.mark.parametrize(
    ("declared", "where", "path"), [(None, None, ""), ("data", None, "data"), (None, "rows", "rows"), ("a", "b", "b")]
)
def test_an_answer_that_the_source_takes_for_an_empty_page_is_the_last_and_its_body_is_not_read(
    declared: str | None, where: str | None, path: str
) -> None:
    gone, asked = Response(404, {}, b"<html>", empty=True), source(records=declared)
    found = records_of(asked, gone, where)
    assert found == DecodedBody(b"", 0, None, path)
    assert page_info_of(asked, gone, found) == PageInfo(last=1)


def test_the_last_record_of_a_page_tells_how_the_next_is_asked_for() -> None:
    asked, answer = source(pagination=KEYSET), Response(200, {}, TWO_LISTS)
    assert page_info_of(asked, answer, records_of(asked, answer, "here")).cursor == 2
