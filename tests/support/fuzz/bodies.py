"""Fuzz targets for response bodies: the fast and the lossless decoder must agree with each other and with Python's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.fast import split
from option_a.ingest.decode.fields import Fields, apply_fields
from option_a.ingest.decode.format import BodyFormat
from option_a.ingest.decode.locate import suggest_records
from option_a.ingest.decode.lossless import CANDIDATES, DecodedBody, split_losslessly
from option_a.ingest.errors import BodyError
from tests.support.apis.json_samples import ILLEGAL, LEGAL, PLACES
from tests.support.fuzz.checks import check_error, expecting
from tests.support.fuzz.engine import Target
from tests.unit.decode.json_documents import compact

BODIES = [
    *(place % value for place in PLACES.values() for value in [*LEGAL, *ILLEGAL][::7] if len(value) < 2_000),
    b'{"data":[{"a":1},{"b":[1,2,{"c":"\xc3\xa9"}]}],"page":1,"next":null}', b'[{"a":1.10},{}]', b'{"data":null}',
    b"[]",
    b'{"data":[{"a":1}],"data":[{"a":2}]}', b'{"data":[{"a":1}],"items":[{"a":2}]}', b'{"id":1,"x":[]}', b"",
    b'{\n  "items": [\n    {"a": 1},\r\n    {"a": "x\\ny"}\n  ],\r  "d\\u0061ta": 5\n}',
]  # fmt: skip
WORDS = [
    b'{"data":[', b'"data":[{', b'"d\\u0061ta":', b'"items":[{"a":1}]', b"},{", b"}]", b'"x":1,', b"\\\\", b'\\"',
    b"NaN", b"null",
    b"\r", b"\n", b'[{}"}]', b"1.10", b"-0", b"1E+2", b'{"":{}}',
]  # fmt: skip


def json_body(data: bytes) -> bool:
    """Fast and lossless decoder give the same result, with any hint, and accept what the standard library accepts."""
    slow = outcome(split_losslessly, data, None)
    for guess in (None, "items", "@"):
        assert outcome(split, data, None, guess) == slow
    assert outcome(split, data, "data") == outcome(split_losslessly, data, "data")
    standard = standard_decode(data)
    told = "the body is not JSON" in str(slow)
    if standard is not None:
        assert told == (standard == ()), slow
        found = split(data, None) if not isinstance(slow, str) else None
        if found is not None and found.records:
            check_records(found, standard[0])
    suggest_records(data)
    return not told


def check_records(found: DecodedBody, value: Any) -> None:
    """The lines decode to the records of the value."""
    records = [value] if found.path == "" else value
    if found.path in CANDIDATES:
        records = next(item for key, item in value if key == found.path and isinstance(item, list))
    assert [json.loads(line, **_EXACT) for line in found.lines.splitlines()] == records


_EXACT: dict[str, Any] = {"parse_int": str, "parse_float": str, "object_pairs_hook": list}


def standard_decode(data: bytes) -> tuple[Any, ...] | None:
    """The standard library's value in a tuple; an empty tuple if invalid; None if it cannot tell."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return (json.loads(data.decode().removeprefix("\ufeff"), parse_constant=refuse, **_EXACT),)
    except RecursionError:
        return None
    except ValueError:
        return ()


def outcome(read: Callable[..., DecodedBody], data: bytes, *how: object) -> object:
    """A comparable result of a decoder: its tokens, or its error."""
    try:
        found = read(data, *how)
    except BodyError as error:
        check_error(error, data)
        return str(error)
    assert found.lines.count(b"\n") == found.records
    assert b"\r" not in found.lines
    return compact(found.lines), found.records, found.path, repr(found.meta)


SHAPES = [
    BodyFormat(shape="keyed", records="@"), BodyFormat(shape="keyed", records="data", key_field="id"),
    BodyFormat(shape="values"),
    BodyFormat(format="ndjson"), BodyFormat(format="ndjson", shape="values"),
]  # fmt: skip
SHAPED = [
    b'{"a":{"x":1},"b":{"x":2}}', b'{"data":{"a":{"id":1},"b":{}}}', b"[1,2.50,\"x\",null]", b'{"data":[1,[2],{}]}',
    b'{"a":1}\n{"b":2}\r\n\n{"c":"\\ud800"}', b'1\n"x"\n[]', b"[]", b"{}", b"", b'{"data":[]}', b'{"a":{"\\u0069d":1}}',
]  # fmt: skip


def shaped(data: bytes) -> bool:
    """Every shape of JSON yields lines of objects, or a BodyError with the body."""
    taken = False
    for how in SHAPES:
        try:
            found = read_body(data, how, how.records)
        except BodyError as error:
            check_error(error, data)
            continue
        lines = found.lines.splitlines(keepends=True)
        assert len(lines) == found.records
        assert all(line[:1] == b"{" and line[-2:] == b"}\n" and b"\r" not in line for line in lines)
        if how.shape == "keyed":
            assert all(top(line).count(how.key_field) == 1 for line in lines if standard_decode(line))
        if how.format == "ndjson":
            check_lines(data, lines, values=how.shape == "values")
        taken = taken or found.records > 0
    return taken


def check_lines(data: bytes, lines: list[bytes], *, values: bool) -> None:
    """Each landed line decodes to the line that was sent."""
    given = [piece for piece in data.decode().removeprefix("\ufeff").split("\n") if piece.strip(" \t\r")]
    assert len(given) == len(lines)
    for sent, landed in zip(given, lines, strict=True):
        value, found = standard_decode(sent.encode()), standard_decode(landed)
        assert value != ()
        if value is not None and found is not None:
            assert found[0] == ([("value", value[0])] if values else value[0])


def csv_body(data: bytes) -> bool:
    """CSV yields the fields that the standard library reads, or a BodyError with the body."""
    taken = False
    for delimiter in ",;":
        try:
            found = read_body(data, BodyFormat(format="csv", delimiter=delimiter), None)
        except BodyError as error:
            check_error(error, data)
            continue
        text = io.StringIO(data.decode("utf-8-sig"), newline="\n")
        rows = [row for row in csv.reader(text, delimiter=delimiter) if row]
        expected = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        assert [json.loads(line) for line in found.lines.splitlines()] == expected
        taken = taken or found.records > 0
    return taken


FIELDS = [
    Fields(drop=["a", "b.c"]), Fields(keep=["a", "b.c"]), Fields(rename={"a": "z", "b.c": "y"}), Fields(hash=["a",
    "b"], salt="env:S"),
]  # fmt: skip


def fields(data: bytes) -> bool:
    """Dropped fields are gone and kept ones unchanged, or there is a BodyError."""
    try:
        found = split(data, None)
    except BodyError:
        return False
    for number, table in enumerate(FIELDS):
        with expecting(BodyError):
            lines = apply_fields(table, found.lines, "salt")
            assert lines.count(b"\n") == found.records
            if number == 0:
                assert not [key for line in lines.splitlines() for key in top(line) if key == "a"]
            if number == 1:
                assert {key for line in lines.splitlines() for key in top(line)} <= {"a", "b"}
    return found.records > 0


def top(line: bytes) -> list[str]:
    """The keys of a record."""
    value = standard_decode(line)
    return [key for key, _ in value[0]] if value else []


CSV = [
    b"a,b\r\n1,x\r\n2,\r\n", b'id,"na ""me""",x\r\n001,"a,b\r\nc",1.10\r\n\r\n', b"a;b\n1;2\n", b"a\n1\n",
    b"\xef\xbb\xbfa,b\n1,2", b"a,a\n1,2",
    b'a,b\n1,"2', b"," * 3_000, b"a b\n", b"",
]  # fmt: skip
TARGETS = [
    Target("JSON bodies", BODIES, json_body, 1.0, WORDS),
    Target("shapes of bodies, NDJSON", SHAPED, shaped, 1.0, WORDS),
    Target("CSV bodies", CSV, csv_body, 1.0, [b'"', b'""', b",", b";", b"\r", b"\n", b'","', b"<", b"\xef\xbb\xbf",
    b"|"]),
    Target(
        "fields",
        [b'[{"a":1,"b":{"c":2,"d":[{"c":1}]}},{"a":[1,null,"x"],"a":2}]', *BODIES[-4:]],
        fields,
        0.5,
        WORDS,
    ),
]  # fmt: skip
