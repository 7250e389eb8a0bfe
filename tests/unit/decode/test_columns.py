"""Columns inferred from records, and written down as TOML."""

from __future__ import annotations

import tomllib
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.decode.columns import ColumnType, columns_as_toml, decode_lines, infer_columns

TYPES: list[tuple[list[Any], ColumnType]] = [
    ([None], "string"), ([], "string"), (["x", None], "string"), ([True, False], "boolean"), ([1, -1], "bigint"),
    ([2**63 - 1, -(2**63)], "bigint"), ([2**63], "string"), ([1, 2**63], "string"), ([1.5], "double"),
    ([1, 1.5], "double"), ([True, 1], "string"), ([1, "x"], "string"), ([1.5, "x"], "string"), ([{}], "json"),
    ([[1]], "json"), ([{}, "x"], "json"), ([{}, 1, None], "json"), ([{}, []], "json"), ([None, 1], "bigint"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kind"), TYPES)
def test_a_column_has_the_narrowest_type_that_fits_all_its_values(values: list[Any], kind: ColumnType) -> None:
    assert infer_columns([{"x": None}, *({"x": value} for value in values)]) == {"x": kind}
    assert infer_columns([*({"x": value} for value in reversed(values)), {"x": None}]) == {"x": kind}


def test_columns_come_in_the_order_of_their_appearance() -> None:
    assert list(infer_columns([{"b": 1}, {"a": 1, "b": 2}, {"c": None}])) == ["b", "a", "c"]
    assert infer_columns([]) == {}


def test_long_numbers_keep_their_digits() -> None:
    long = "1" * 5_000
    line = f'{{"a":{2**63 - 1},"b":{2**63},"c":{-(2**63)},"d":{long},"e":1.5}}\n'
    records = decode_lines(line.encode())
    assert records == [{"a": 2**63 - 1, "b": "9223372036854775808", "c": -(2**63), "d": long, "e": 1.5}]
    assert infer_columns(records) == {"a": "bigint", "b": "string", "c": "bigint", "d": "string", "e": "double"}


def test_each_line_is_a_record_whatever_its_strings_hold() -> None:
    assert decode_lines('{"a":"\u2028\x85"}\n{"a":"\x0c"}\n'.replace("\x0c", "\\f").encode()) == [
        {"a": "\u2028\x85"}, {"a": "\x0c"},
    ]  # fmt: skip


@pytest.mark.parametrize("deep", [b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000])
def test_a_record_that_is_too_deep_to_be_shown_has_its_other_fields(deep: bytes) -> None:
    (record,) = decode_lines(b'{"id":1,"x":' + deep + b"}\n")
    assert record == {"id": 1, "x": ["…"]}
    assert infer_columns([record]) == {"id": "bigint", "x": "json"}


def test_a_name_that_no_text_can_hold_is_left_out_of_sources_toml() -> None:
    assert columns_as_toml({"\ud800": "string", "id": "bigint"}) == 'columns = { id = "bigint" }'


names = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(names, st.sampled_from(get_args(ColumnType))))
def test_what_is_written_for_sources_toml_reads_back(columns: dict[str, ColumnType]) -> None:
    assert tomllib.loads(columns_as_toml(columns)) == {"columns": columns}


def test_plain_names_are_written_bare() -> None:
    assert columns_as_toml({"id": "bigint", "a b": "json"}) == 'columns = { id = "bigint", "a b" = "json" }'
