"""Row filters: what Lake Formation takes is taken, and nothing that says more than it seems to."""

from __future__ import annotations

import re

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from option_a.constructs.typed import GLUE
from option_a.ingest.config.source import Source
from option_a.ingest.decode.columns import ColumnType
from option_a.lakeformation.row_filter import LONGEST, check_rows
from option_a.lakeformation.tables import columns_of

COLUMNS: dict[str, ColumnType] = columns_of(
    Source(
        name="orders",
        url="https://x.example",
        columns={"id": "bigint", "amount": "double", "status": "string", "paid": "boolean", "day": "date",
                 "Price": "decimal"},
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("id = 3", {"id"}),
        ("amount >= -3.50 and amount<4", {"amount"}),
        ("status IN ('paid', 'it''s')", {"status"}),
        ("status not in ('paid')", {"status"}),
        ("NOT (paid = TRUE OR status LIKE 'p%') AND id BETWEEN 1 AND 9", {"paid", "status", "id"}),
        ("id IS NOT NULL", {"id"}),
        ("ID <> 3 AND \"id\" != 4", {"id"}),
        ("ingestion_date >= '2026-01-01'", {"ingestion_date"}),
        ("day = '2026-01-01'", {"day"}),
        ("price = '3.10'", {"price"}),
        ("\n ( id = 1 )\n", {"id"}),
    ],
)  # fmt: skip
def test_what_lake_formation_takes(text: str, named: set[str]) -> None:
    assert check_rows(text, COLUMNS) == named


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "where `its end` is, there should be a column"),
        ("id", "there should be a comparison"),
        ("id =", "there should be a number"),
        ("id = '3'", "there should be a number, for id is bigint"),
        ("status = 3", "there should be a text in quotes"),
        ("paid = 'true'", "there should be TRUE or FALSE"),
        ("id LIKE '3%'", "LIKE compares texts, and id is bigint"),
        ("id = amount", "there should be a number"),
        ("1 = 1", "where `1` is, there should be a column"),
        ("TRUE", "where `TRUE` is, there should be a column"),
        ("id = 3 OR", "there should be a column"),
        ("id = 3 id = 4", "there should be AND, OR or its end"),
        ("(id = 3", "there should be `)`"),
        ("id = 3)", "there should be AND, OR or its end"),
        ("id = 3 -- or all", "`-- or all` is not valid in a filter"),
        ("id = 3 /* all */", "`/* all */` is not valid in a filter"),
        ("id = 3; DROP TABLE x", "`; DROP TABLE x` is not valid in a filter"),
        ("lower(status) = 'x'", "`lower` is not a declared column"),
        ("status = (SELECT 'x')", "there should be a text"),
        ("status = 'open", "`'open` is not valid in a filter"),
        ("id = 3abc", "`3abc` is not valid in a filter"),
        ("id = 1e9", "`1e9` is not valid in a filter"),
        ("emial = 'x'", "`emial` is not a declared column; declared: id, amount,"),
        ("ingestion_date IS NULL", "not accept IS NULL on a partition key"),
        ("id IN ()", "there should be a number"),
        ("id BETWEEN 1", "there should be `AND`"),
        ("(" * 40 + "id = 1" + ")" * 40, "nested more than 32 levels deep"),
        ("id = 1 OR " * 300 + "id = 1", f"and Lake Formation takes {LONGEST - 1}"),
        ("ıd = 3", "is not valid in a filter"),
    ],
)
def test_what_it_does_not_take_is_refused_with_the_place(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        check_rows(text, COLUMNS)


_TESTS = st.sampled_from(
    ["id = 3", "status IN ('x', 'it''s')", "paid <> TRUE", "amount BETWEEN -1.5 AND 2", "status NOT LIKE 'p%'",
     "id IS NOT NULL", '"id" >= 3']
)  # fmt: skip
_PARTS = st.sampled_from(
    [
        "AND",
        "OR",
        "NOT",
        "(",
        ")",
        "=",
        "3",
        "'x'",
        "--",
        ";",
        "/*",
        "*",
        "lower(",
        "id",
        "amount",
        ",",
        "'",
        "\n",
        "IS",
    ]
)


@given(st.lists(_TESTS, min_size=1, max_size=4), st.data())
def test_what_is_taken_is_one_predicate_over_columns_and_constants(tests: list[str], data: st.DataObject) -> None:
    """Sound filters with a word or two put in anywhere: some stay sound, and those alone are taken."""
    words = " AND ".join(tests).split(" ")
    for word in data.draw(st.lists(_PARTS, max_size=2)):
        words.insert(data.draw(st.integers(0, len(words))), word)
    text = " ".join(words)
    try:
        named = check_rows(text, COLUMNS)
    except ValueError:
        assert len(words) > len(" AND ".join(tests).split(" ")), "it was sound before"
        return
    (statement,) = sqlglot.parse(f"SELECT * FROM t WHERE {text}", dialect="athena")
    assert statement is not None
    where = statement.args["where"].this
    assert {column.name.lower() for column in where.find_all(exp.Column)} == named
    assert {type(one) for one in where.walk()} <= _ALLOWED


_ALLOWED = {
    *(exp.And, exp.Or, exp.Not, exp.Paren, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Neg),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Like, exp.Between, exp.Is),
}


@given(st.text(max_size=40))
def test_any_text_is_taken_or_refused_in_words(text: str) -> None:
    told = "taken"
    try:
        check_rows(text, COLUMNS)
    except ValueError as error:
        told = str(error)
    assert told


def test_a_column_is_compared_as_athena_has_it() -> None:
    families = {"number": "3", "text": "'x'", "truth": "TRUE"}
    glue = {"bigint": "number", "double": "number", "boolean": "truth", "string": "text"}
    for kind, declared in GLUE.items():
        check_rows(f"c = {families[glue[declared]]}", {"c": kind})
