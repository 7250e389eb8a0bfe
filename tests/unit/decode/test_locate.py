"""Where records may be: what is suggested, and in which order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from option_a.ingest.decode.fast import split
from option_a.ingest.decode.locate import record_lists, suggest_records
from option_a.ingest.errors import BodyError


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ([{"a": 1}], ["`@` (1)"]),
        ({"data": {"items": [{}, {}]}, "tags": ["x"]}, ["`data.items` (2)", '`tags` (1, shape = "values")']),
        ({"a": {"b": {"c": [{}]}}, "d": [{}, {}]}, ["`d` (2)", "`a.b.c` (1)"]),
        ({"a": [{}], "b": [{}, {}]}, ["`b` (2)", "`a` (1)"]),
        ({"rows": {"1": {"x": 1}, "2": {"x": 2}}}, ['`rows` (2, shape = "keyed")']),
        ({"rows": {"1": {"x": 1}, "2": {"y": 2}}}, []),
        ({"rows": [], "page": 1}, []),
        ({"a.b": [{}]}, []),
        ({"a": {"b": {"c": {"d": {"e": [{}]}}}}}, ["`a.b.c.d.e` (1)"]),
        ({"a": {"b": {"c": {"d": {"e": {"f": [{}]}}}}}}, []),
        (5, []),
    ],
)
def test_places_come_with_the_likeliest_first(document: Any, found: list[str]) -> None:
    assert [str(place) for place in record_lists(document)] == found
    assert suggest_records(json.dumps(document).encode()) == (
        f"; records may be at: {', '.join(found)}" if found else ""
    )


def test_a_body_that_is_no_json_or_too_deep_suggests_nothing() -> None:
    assert suggest_records(b"<html>") == suggest_records(b"[" * 100_000) == ""


def test_the_error_of_a_path_that_finds_nothing_names_the_paths_that_would() -> None:
    body = b'{"result":{"items":[{"a":1},{"a":2}]},"page":1}'
    with pytest.raises(BodyError) as error:
        split(body, "data")
    assert str(error.value) == (
        "no records at `data` (correct `records`; the body has: page, result; records may be at: `result.items` (2))"
    )
    with pytest.raises(BodyError, match=r"`result` is not a list but .* records may be at: `result.items` \(2\)"):
        split(body, "result")
