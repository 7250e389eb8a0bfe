"""What is said of a body whose records are not where they should be: enough to mend `sources.toml`."""

from __future__ import annotations

import pytest

from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.fast import split
from option_a.ingest.decode.format import BodyFormat
from option_a.ingest.errors import BodyError


@pytest.mark.parametrize(
    ("body", "path", "said"),
    [
        (b"5", None, r"neither an object nor a list \(is this the right url\?\)"),
        (b'{"data":[{}],"data":[{}]}', "data", r"`data` occurs 2 times in the body \(the API must send it once\)"),
        (b'{"data":[{}],"data":1}', None, r"`data` occurs 2 times in the body \(the API must send it once\)"),
        (
            b'{"a":{"b":[{}]}}',
            "a",
            r"`a` is not a list .*\(correct `records`: the path to the list of records; .*`a\.b`",
        ),
        (b'{"data":[{}],"items":[{}]}', None, r'two lists could be the records: data, items \(say which: records = "'),
        (b'{"n":"%s"}' % ("é" * 30).encode(), "n", 'but "' + "é" * 19 + "\ufffd"),
    ],
)
def test_the_way_out_is_told_with_what_is_wrong(body: bytes, path: str | None, said: str) -> None:
    with pytest.raises(BodyError, match=said):
        split(body, path)


def test_where_an_object_should_be_the_path_to_one_is_asked_for() -> None:
    with pytest.raises(BodyError, match=r"\(correct `records`: the path to the object that holds the records"):
        read_body(b'{"rows":[{"a":1}]}', BodyFormat(shape="keyed", records="rows"), "rows")


@pytest.mark.parametrize("path", [None, "data"])
def test_beside_records_that_are_null_the_rest_of_the_body_is_kept(path: str | None) -> None:
    found = split(b'{"data":null,"total":0,"next":"c"}', path)
    assert (found.records, found.lines, found.path) == (0, b"", "data")
    assert (found.meta["total"], found.meta["next"]) == (0, "c")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"data":null,"errors":["no"]}', "data"),
        (b'{"data":{"items":null,"error":"no"}}', "data.items"),
        (b'{"errors":["no"],"data":{"items":null}}', "data.items"),
    ],
)
def test_null_beside_an_error_at_any_height_is_no_end(body: bytes, path: str) -> None:
    with pytest.raises(BodyError, match=rf'`{path}` is null, and the body says `errors?` as follows: (\["no"\]|"no")'):
        split(body, path)
