"""The SQL of the views: whatever stands in a name or a text stays there. And the structures that columns come from."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.query.structure import columns_of, declared_columns, merge, typed
from option_a.query.views import name, quoted

DB = duckdb.connect(":memory:")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1) | st.sampled_from(
    ["it's", "'); DROP TABLE x; --", '"', '""', "a\\'b", "{}", "''"]
)


@given(texts, texts)
def test_a_text_is_a_literal_and_a_name_an_identifier_whatever_they_hold(text: str, identifier: str) -> None:
    answer = DB.execute(f"SELECT {quoted(text)} AS {name(identifier)}")
    assert answer.description is not None
    assert [column[0] for column in answer.description] == [identifier]
    assert answer.fetchall() == [(text,)]


MERGED: list[tuple[Any, Any, Any]] = [
    ("NULL", "NULL", "NULL"), ("NULL", "VARCHAR", "VARCHAR"), ("UBIGINT", "UBIGINT", "UBIGINT"),
    ("UBIGINT", "BIGINT", "BIGINT"), ("BIGINT", "DOUBLE", "DOUBLE"), ("HUGEINT", "BIGINT", "DOUBLE"),
    ("BOOLEAN", "BIGINT", "JSON"), ("VARCHAR", "BIGINT", "JSON"), ({"a": "BIGINT"}, "VARCHAR", "JSON"),
    ({"a": "BIGINT"}, ["BIGINT"], "JSON"), (["NULL"], ["BIGINT"], ["BIGINT"]), (["BIGINT"], ["DOUBLE"], ["DOUBLE"]),
    ({"a": "UBIGINT"}, {"b": "VARCHAR"}, {"a": "UBIGINT", "b": "VARCHAR"}),
    ({"a": {"b": "BIGINT"}}, {"a": {"b": "VARCHAR"}}, {"a": {"b": "JSON"}}),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "both"), MERGED)
def test_two_structures_make_one_that_holds_both(one: Any, other: Any, both: Any) -> None:
    assert merge(one, other) == merge(other, one) == both


leaves = st.sampled_from(["NULL", "BOOLEAN", "UBIGINT", "BIGINT", "HUGEINT", "DOUBLE", "VARCHAR", "JSON"])
structures = st.recursive(
    leaves,
    lambda inner: st.lists(inner, min_size=1, max_size=1) | st.dictionaries(st.sampled_from("abA"), inner),
    max_leaves=8,
)


@given(structures, structures)
def test_a_structure_that_holds_another_does_not_change_by_it(one: Any, other: Any) -> None:
    both = merge(one, other)
    assert merge(both, one) == merge(both, other) == both


@pytest.mark.parametrize(
    ("structure", "column"),
    [("UBIGINT", "BIGINT"), ("NULL", "JSON"), ({}, "JSON"), ({"a": "NULL"}, {"a": "JSON"}), (["UBIGINT"], ["BIGINT"]),
     ({"a": "VARCHAR", "A": "VARCHAR"}, "JSON"), ("VARCHAR", "VARCHAR")],
)  # fmt: skip
def test_a_column_has_a_type_that_sql_can_tell_apart(structure: Any, column: Any) -> None:
    assert typed(structure) == column


def test_of_columns_that_differ_in_case_alone_the_first_stays() -> None:
    assert columns_of({"id": "UBIGINT", "ID": "VARCHAR", "x": "NULL"}) == {"id": "BIGINT", "x": "JSON"}
    assert columns_of("NULL") == {}


def test_the_empty_key_is_no_column_and_what_holds_one_is_json() -> None:
    assert columns_of({"": "UBIGINT", "x": {"": "VARCHAR", "y": "VARCHAR"}}) == {"x": "JSON"}


def test_declared_columns_are_read_as_text_and_cast() -> None:
    read, casts = declared_columns({"id": "bigint", "tags": "json", "day": "date", "name": "string", "n": "decimal"})
    assert read == {"id": "VARCHAR", "tags": "JSON", "day": "VARCHAR", "name": "VARCHAR", "n": "VARCHAR"}
    assert casts == {"id": "BIGINT", "day": "DATE", "n": "DECIMAL(38, 9)"}
