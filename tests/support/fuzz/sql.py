"""Fuzz targets for generated SQL: names and values chosen by APIs and users."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import duckdb

from option_a.ingest.decode.columns import columns_as_toml, infer_columns
from option_a.query import views
from option_a.query.structure import columns_of, declared_columns
from tests.support.fuzz.engine import Target


@cache
def _db() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def identifier(data: bytes) -> bool:
    """Any text is quoted as one literal, and any name as one identifier."""
    text = data.decode("utf-8", "replace")
    name = text or "x"
    found = _db().execute(f"SELECT {views.quoted(text)} AS {views.name(name)}")
    assert [column[0] for column in found.description or []] == [name]
    assert found.fetchall() == [(text,)]
    return True


def view(data: bytes) -> bool:
    """A view can be created for any record structure and any column names."""
    try:
        record: Any = json.loads(data)
    except (ValueError, RecursionError):
        return False
    text = _clean(data)
    if not isinstance(record, dict) or text is None:
        return False
    structure = json.loads(_structure(text))
    columns = columns_of(structure)
    db = _db()
    db.execute(
        "CREATE OR REPLACE TEMP TABLE line AS SELECT DATE '2023-11-01' ingestion_date, ?::VARCHAR record", [text]
    )
    made = views.source_view("s", ["x"], columns, {}).replace("CREATE VIEW", "CREATE OR REPLACE TEMP VIEW")
    db.execute(made.replace(views.lines(["x"]), "line"))
    assert len(db.execute("SELECT * FROM s").fetchall()) == 1
    declared, casts = declared_columns(infer_columns([record]))
    db.execute(
        views.empty_view("e", {key: declared[key] for key in declared if key}, casts).replace(
            "VIEW", "OR REPLACE TEMP VIEW", 1
        )
    )
    assert columns_as_toml(infer_columns([record])).startswith("columns = {")
    return True


def _clean(data: bytes) -> str | None:
    """The text if DuckDB accepts it as JSON: no lone surrogates, no NaN."""
    try:
        return None if b"\\ud" in data.lower() or b"N" in data or b"Infinity" in data else data.decode()
    except UnicodeDecodeError:
        return None


def _structure(text: str) -> str:
    (row,) = _db().execute("SELECT json_structure(?::JSON)", [text]).fetchall()
    return str(row[0])


RECORDS = [
    b'{"id":1,"a b":"x","c":{"d":[1,{"e":null}]}}', b'{"":1,"a":{"":2,"A":3}}',
    b'{"ingestion_date":"x","record_ingestion_date":1}',
    b'{"a\\"b":1,"a\'b":2,"\\u0000":3,"--":4,";":[]}', b'{"A":1,"a":2}', b'{"select":1,"source":"x","record":{}}',
]  # fmt: skip
NAMES = [b"a", b'a"b', b"a'b", b"\0", b"--", b"/*", b"$$", b"\\", b"'; DROP TABLE x; --", b'"."', b"\xe2\x80\xa8", b""]
TARGETS = [
    Target("SQL identifiers", NAMES, identifier, 0.2, [b"''", b'""', b"\\'", b"U&'", b"E'", b"$1", b"?", b":a"]),
    Target("views", RECORDS, view, 0.02, [b'"":', b'"\\u0000":', b'"a":', b'"A":', b'"ingestion_date":']),
]
