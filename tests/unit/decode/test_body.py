"""Bodies of other formats and shapes: what lands is what was sent, and nothing is taken for what it is not."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from option_a.ingest.decode import body as bodies
from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.format import BodyFormat
from option_a.ingest.decode.lossless import DecodedBody, by_outline
from option_a.ingest.errors import BodyError
from option_a.ingest.jsontext.parser import Node
from tests.unit.decode import json_documents as documents
from tests.unit.decode.json_documents import spaces

VALUES = BodyFormat(shape="values")
KEYED = BodyFormat(shape="keyed", records="data")
NDJSON = BodyFormat(format="ndjson")
CSV = BodyFormat(format="csv")


def read(body: bytes, how: BodyFormat) -> DecodedBody:
    found = read_body(body, how, how.records)
    assert found.lines.count(b"\n") == found.records
    return found


def lines(body: bytes, how: BodyFormat) -> list[bytes]:
    return read(body, how).lines.splitlines()


def refused(body: bytes, how: BodyFormat) -> str:
    with pytest.raises(BodyError) as error:
        read(body, how)
    assert error.value.body == body
    return str(error.value)


def test_a_list_of_values_is_a_record_a_value_whatever_it_is() -> None:
    body = b'{"data": [1.10, "a", null, [2 , 3], {"b" : 4}, 99999999999999999999], "page": 1}'
    wanted = [b"1.10", b'"a"', b"null", b"[2,3]", b'{"b":4}', b"99999999999999999999"]
    assert lines(body, VALUES) == [b'{"value":' + value + b"}" for value in wanted]
    assert read(body, VALUES).meta == {"data": None, "page": 1}
    assert lines(b'["x"]', VALUES) == [b'{"value":"x"}']
    assert lines(b"[]", VALUES) == lines(b'{"data":null}', VALUES) == []
    assert "no list of values" in refused(b'{"id":1}', VALUES)


def test_an_object_keyed_by_id_is_a_record_a_key_which_comes_first() -> None:
    body = b'{"data": {"7": {"a": 1.10, "a": 2}, "\\u00e9": {}}, "next": null}'
    assert lines(body, KEYED) == [b'{"_key":"7","a":1.10,"a":2}', b'{"_key":"\\u00e9"}']
    assert read(body, KEYED).meta == {"data": None, "next": None}
    apart = b'{"data": {"7":\n{"a": 1}, "8": {"a": 2}, "9": {}}}'
    assert lines(apart, KEYED) == [b'{"_key":"7","a":1}', b'{"_key":"8","a":2}', b'{"_key":"9"}']
    named = BodyFormat(shape="keyed", records="@", key_field="id é")
    assert lines(b'{"x":{"b":1}}', named) == ['{"id é":"x","b":1}'.encode()]


def test_an_object_that_holds_nothing_may_be_a_list_as_php_writes_it_or_a_null() -> None:
    assert lines(b'{"data":[]}', KEYED) == lines(b'{"data":{}}', KEYED) == lines(b'{"data":null}', KEYED) == []
    assert "`data` is not an object but [{}]" in refused(b'{"data":[{}]}', KEYED)


def test_a_key_field_that_is_there_already_or_a_record_that_is_none_is_an_error() -> None:
    assert 'a record has a `_key` of its own: "x"' in refused(b'{"data":{"x":{"\\u005fkey":1}}}', KEYED)
    assert 'a record is not an object but 1: "y"' in refused(b'{"data":{"x":{},"y":1}}', KEYED)


def test_a_line_of_ndjson_is_a_record() -> None:
    body = b'\xef\xbb\xbf{"a": 1.10}\n\r\n  {"b":"\\ud800"}\r\n{"c":"\r"}'
    assert "line 4 is not JSON" in refused(body, NDJSON)
    assert lines(body.replace(b'"\r"', b"\r1"), NDJSON) == [b'{"a": 1.10}', b'{"b":"\\ud800"}', b'{"c":1}']
    assert (lines(b"", NDJSON), read(b"\n", NDJSON).meta) == ([], None)
    values = BodyFormat(format="ndjson", shape="values")
    assert lines(b'1\n"x"\n{}\n', values) == [b'{"value":1}', b'{"value":"x"}', b'{"value":{}}']


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"a":1}\n{"a":', "line 2 is not JSON"),
        (b'{"a":1}\n[1]\n', "line 2 is not an object but [1]"),
        (b'{"a":1} {"b":2}\n', "line 1 is not JSON: something follows"),
        (b'{\n"a":1}\n', "line 1 is not JSON"),
        (b'{"a":"\xff"}\n', "invalid UTF-8"),
        (b"<html>", "line 1 is not JSON: no JSON value at byte 0 (it looks like HTML"),
        (b'{"a":NaN}', "line 1 is not JSON"),
    ],
)
def test_ndjson_that_is_none_names_its_line(body: bytes, told: str) -> None:
    assert told in refused(body, NDJSON)


def outcome(read_it: Callable[..., DecodedBody], *arguments: object) -> object:
    try:
        found = read_it(*arguments)
    except BodyError as error:
        return str(error)
    return found.lines, found.records, repr(found.meta), found.path


def by_key(text: bytes, where: str, node: Node) -> list[bytes]:
    return bodies._keyed(text, node, b'"_key"')


NAMES = st.sampled_from(['"data"', '"b"', r'"d\u0061ta"'])
SPOILERS = st.sampled_from([b"", b"\x00", b'"', b"]", b",", b"{}", b"0", b"\xff", b"NaN"])


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.tuples(NAMES, documents.values), max_size=3), spaces, st.integers(0, 200), SPOILERS)
def test_the_fast_path_to_values_and_to_keys_has_the_outcome_of_the_slow_one(
    members: list[tuple[str, documents.Tokens]], gaps: list[str], place: int, inserted: bytes
) -> None:
    body = documents.text_of(documents.table(members), gaps)
    for spoilt in (body, body[:place] + inserted + body[place:]):
        slowly = outcome(by_outline, spoilt, "data", by_key, "object")
        assert outcome(read_body, spoilt, KEYED, "data") == slowly
        assert outcome(read_body, spoilt, VALUES, "data") == outcome(by_outline, spoilt, "data", bodies._values)


cells = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=5)),
       st.sampled_from(",;\t|X"), st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_every_value_of_a_csv_file_lands_as_the_text_that_it_is(
    rows: list[list[str]], delimiter: str, end: str
) -> None:
    names = [f"n{n}" for n in range(len(rows[0]) if rows else 2)]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([names, *rows])
    found = lines(file.getvalue().encode(), BodyFormat(format="csv", delimiter=delimiter))
    assert [json.loads(line) for line in found] == [dict(zip(names, row, strict=True)) for row in rows]


def test_a_header_of_very_many_names_costs_no_more_than_it_is_long() -> None:
    """Each was once looked for among all of them: 200,000 would have taken minutes."""
    names = b",".join(b"n%d" % n for n in range(200_000))
    assert lines(names + b"\n", CSV) == []
    assert "names a field twice (n7)" in refused(names + b",n7\n", CSV)


def test_csv_as_rfc_4180_has_it() -> None:
    body = b'\xef\xbb\xbfid,"na ""me""",x\r\n001,"a,b\r\nc",1.10\r\n\r\n2,,"""\x80"""'.replace(b"\x80", "é".encode())
    assert [json.loads(line) for line in lines(body, CSV)] == [
        {"id": "001", 'na "me"': "a,b\r\nc", "x": "1.10"}, {"id": "2", 'na "me"': "", "x": '"é"'},
    ]  # fmt: skip
    assert lines(b"", CSV) == lines(b"a,b\n", CSV) == []
    assert lines(b"order_id\n", CSV) == []
    assert lines(b"order id\n1\n", CSV) == [b'{"order id":"1"}']
    assert lines(b"a\n" + b"x" * 200_000, CSV) == [b'{"a":"' + b"x" * 200_000 + b'"}']


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"a,b\n1,2\n3\n", "record 2 has 1 fields, the header 2 (was it cut"),
        (b"a,b\n1,2,3\n", "record 1 has 3 fields, the header 2"),
        (b'a,b\n1,"2\n', "the body is not CSV: unexpected end of data"),
        (b'a,b\n1,"2"3\n', "the body is not CSV: ',' expected after '\"', in line 2"),
        (b"a,a\n1,2\n", "the header names a field twice (a)"),
        (b"a;b\n1;2\n", "the header is a single name 'a;b' (fields are told apart by ','"),
        (b"a,b\n1,\xff\n", "invalid UTF-8 at byte 6"),
        (b"Service temporarily unavailable", "one line of text without a header 'Service temporarily unavailable'"),
        (b"<!doctype html>\n", "it looks like HTML"),
        (b'{"error": "no"}', "it looks like JSON"),
    ],
)
def test_csv_that_is_none_says_why(body: bytes, told: str) -> None:
    assert told in refused(body, CSV)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"format": "csv", "records": "data"}, "`records` is a path in a JSON body"),
        ({"format": "csv", "shape": "values"}, "`shape`"),
        ({"format": "ndjson", "shape": "keyed"}, "`shape`"),
        ({"shape": "keyed"}, "needs `records`"),
        ({"key_field": "id"}, "`key_field` is for"),
        ({"delimiter": ";"}, "`delimiter` is for"),
        ({"format": "csv", "delimiter": "::"}, "not a single character"),
        ({"format": "csv", "delimiter": '"'}, "not a single character"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        BodyFormat(**keys)  # type: ignore[arg-type]
