"""Fields that land, or do not: what is dropped is nowhere, what is left is byte for byte what it was."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.decode.fields import Fields, absent_fields, apply_fields
from option_a.ingest.errors import BodyError
from tests.unit.decode.json_documents import compact, records, text_of

SALT = "pepper"
RECORD = b'{"id": 1.10, "mail": "a@b", "who": {"name": "N", "n": 99999999999999999999}, "l": [{"x": 1, "y": 2}, 3]}'


def landed(record: bytes, **keys: Any) -> bytes:
    return apply_fields(Fields(**keys), record + b"\n", SALT).removesuffix(b"\n")


def hashed(text: str) -> str:
    return hmac.new(SALT.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_what_is_dropped_is_gone_and_the_rest_is_as_it_was() -> None:
    assert landed(RECORD, drop=["mail", "who.name", "l.y", "none"]) == (
        b'{"id":1.10,"who":{"n":99999999999999999999},"l":[{"x":1},3]}'
    )
    assert landed(RECORD, drop=["who", "l", "id"]) == b'{"mail":"a@b"}'


def test_only_what_is_kept_lands_and_nothing_that_stands_where_a_table_was_expected() -> None:
    assert landed(RECORD, keep=["id", "who.n", "l.x"]) == b'{"id":1.10,"who":{"n":99999999999999999999},"l":[{"x":1}]}'
    assert landed(RECORD, keep=["who"]) == b'{"who":{"name":"N","n":99999999999999999999}}'
    assert landed(b'{"who":"N"}', keep=["who.n"]) == b"{}"
    assert landed(b'{"who":null}', keep=["who.n"]) == b'{"who":null}'
    assert landed(RECORD, keep=["who"], drop=["who.name"]) == b'{"who":{"n":99999999999999999999}}'


def test_a_hash_is_that_of_the_text_however_it_is_spelt_and_a_null_stays() -> None:
    wanted = json.dumps({"a": hashed("é"), "b": hashed("1.10"), "c": None, "d": [hashed("x"), None]})
    record = b'{"a":"\\u00e9","b":1.10,"c":null,"d":["x",null]}'
    assert json.loads(landed(record, hash=["a", "b", "c", "d"], salt="env:S")) == json.loads(wanted)
    assert json.loads(landed('{"a":"é"}'.encode(), hash=["a"], salt="env:S")) == {"a": hashed("é")}
    assert SALT.encode() not in landed(record, hash=["a"], salt="env:S")


def test_a_name_is_changed_in_its_place() -> None:
    assert landed(RECORD, keep=["mail", "who.n"], rename={"mail": "e mail", "who.n": "é"}) == (
        '{"e mail":"a@b","who":{"é":99999999999999999999}}'.encode()
    )
    assert landed(b'{"a":1,"b":2}', rename={"a": "b", "b": "a"}) == b'{"b":1,"a":2}'
    with pytest.raises(BodyError, match="record 1: `rename` gives the name `b`, which exists already"):
        landed(b'{"a":1,"b":2}', rename={"a": "b"})
    assert landed(b'{"a":1,"b":2}', rename={"a": "b"}, drop=["b"]) == b'{"b":1}'


def test_a_key_is_known_however_it_is_spelt_and_however_often_it_stands_there() -> None:
    record = b'{"m\\u0061il":"x","a.b":1,"mail":"y","a":{"b":2},"\\ud800":"z"}'
    assert landed(record, drop=["mail", "a.b"]) == b'{"a":{},"\\ud800":"z"}'


def test_each_record_of_a_page_is_treated_and_counted() -> None:
    page = b'{"a":1,"b":2}\n{"b":3}\n{"a":{"b":4}}\n'
    assert apply_fields(Fields(drop=["a"]), page, None) == b'{"b":2}\n{"b":3}\n{}\n'
    assert apply_fields(Fields(drop=["a"]), b"", None) == b""


@pytest.mark.slow
def test_a_record_that_is_nested_too_deeply_for_it_is_a_body_error() -> None:
    deep = b'{"a":' + b"[" * 5_000 + b'{"b":1}' + b"]" * 5_000 + b"}"
    with pytest.raises(BodyError, match="record 1 is nested too deeply"):
        landed(deep, drop=["a.b"])
    assert landed(deep, drop=["b"]) == deep


@given(records, st.lists(st.sampled_from(["", " ", "  "]), min_size=1, max_size=3))
def test_what_no_path_names_stays_byte_for_byte(found: list[tuple[str, ...]], gaps: list[str]) -> None:
    page = b"".join(text_of(record, gaps).strip() + b"\n" for record in found)
    assert apply_fields(Fields(drop=["nowhere", "no.where"]), page, None) == b"".join(
        compact(line) + b"\n" for line in page.split(b"\n")[:-1]
    )


@given(records)
def test_what_is_dropped_is_dropped_from_any_record(found: list[tuple[str, ...]]) -> None:
    page = b"".join("".join(record).encode() + b"\n" for record in found)
    done = apply_fields(Fields(drop=["data", "a"]), page, None)
    for line in done.splitlines():
        assert not {"data", "a"} & json.loads(line, parse_int=str).keys()


def test_a_path_that_no_record_has_is_told() -> None:
    fields = Fields(drop=["mail", "mial", "who.n", "who.x", "l.y", "a.b"])
    assert absent_fields(fields, RECORD + b'\n{"a.b":1}\n') == ["mial", "who.x"]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "`fields` is empty"),
        ({"drop": [""]}, "a path in `fields` is empty"),
        ({"drop": ["a"], "hash": ["a"], "salt": "env:S"}, "`a` is dropped, and kept, hashed or renamed too"),
        ({"hash": ["a"]}, "`hash` and `salt` go together"),
        ({"drop": ["a"], "salt": "env:S"}, "`hash` and `salt` go together"),
        ({"hash": ["a"], "salt": "literal"}, "not a secret reference"),
        ({"rename": {"a": "c", "b": "c"}}, "`rename` gives the name `c` twice"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as error:
        Fields(**keys)
    assert "literal" not in str(error.value)
