"""The SQL that makes a lake queryable: a view per source, `raw` for all lines, `partitions` for the manifests. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_LINE = 256 * 2**20
EMPTY_RAW = (
    "CREATE VIEW raw AS SELECT ''::VARCHAR source, NULL::DATE ingestion_date, 0 page, ''::VARCHAR record WHERE false"
)
PARTITIONS = """
CREATE TABLE partitions (
    source VARCHAR, ingestion_date DATE, state VARCHAR, origin VARCHAR, run VARCHAR,
    pages BIGINT, records BIGINT, bytes BIGINT, cause VARCHAR
)
"""
# a lone surrogate is legal JSON, and no text: DuckDB's JSON refuses it, so the views leave it out (`raw` does not)
_SURROGATE = r"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
_JSON = (
    rf"(CASE WHEN contains(record, '\ud') OR contains(record, '\uD') "
    rf"THEN regexp_replace(record, '{_SURROGATE}', '\1', 'g') ELSE record END)::JSON"
)


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A quoted identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def lines(paths: Sequence[str]) -> str:
    """The call that reads every line as text: as CSV with a delimiter that JSON cannot hold raw. Dates prune files."""
    return (
        f"read_csv([{', '.join(map(quoted, paths))}], columns = {{'record': 'VARCHAR'}}, delim = '\x01', quote = '', "
        f"escape = '', header = false, auto_detect = false, compression = 'gzip', max_line_size = {LONGEST_LINE}, "
        "filename = true, hive_partitioning = true, hive_types = {'ingestion_date': DATE})"
    )


def raw_view(paths: Sequence[str]) -> str:
    """Every line of every source, whatever a JSON reader thinks of it."""
    # a folder above the lake may be called `source=…` too: the last part of the name tells
    source = r"regexp_extract(filename, 'source=([^/]+)/ingestion_date=[0-9-]+/page=\d+[^/]*$', 1) AS source"
    page = r"CAST(regexp_extract(filename, 'page=(\d+)[^/]*$', 1) AS INTEGER) AS page"
    return f"CREATE VIEW raw AS SELECT {source}, ingestion_date, {page}, record FROM {lines(paths)}"


def structures(paths: Sequence[str], dates: Sequence[str]) -> str:
    """The query for what the records of some dates look like: rows of date and structure."""
    wanted = ", ".join(f"DATE {quoted(date)}" for date in dates)
    return (
        f"SELECT CAST(ingestion_date AS VARCHAR), json_group_structure({_JSON}) FROM {lines(paths)} "
        f"WHERE ingestion_date IN ({wanted}) GROUP BY ALL"
    )


def source_view(view: str, paths: Sequence[str], columns: Mapping[str, Any], casts: Mapping[str, str]) -> str:
    """A source's view: its records' fields as columns. A value that does not fit its declared type is an error."""
    fields = "".join(f", {_field(key, casts.get(key))}" for key in columns)
    shape = quoted(json.dumps(columns))
    parsed = f"json_transform({_JSON}, {shape})" if columns else "NULL"
    return f"""
CREATE VIEW {name(view)} AS SELECT ingestion_date{fields}
FROM (SELECT ingestion_date, {parsed} AS fields FROM {lines(paths)})
"""


def empty_view(view: str, columns: Mapping[str, Any], casts: Mapping[str, str]) -> str:
    """A source of which nothing has landed: no rows, and the columns that are declared."""
    fields = "".join(f", NULL::{casts.get(key, 'VARCHAR')} AS {name(_alias(key))}" for key in columns)
    return f"CREATE VIEW {name(view)} AS SELECT NULL::DATE AS ingestion_date{fields} WHERE false"


def _field(key: str, cast: str | None) -> str:
    value = f"fields.{name(key)}"
    return f"{f'CAST({value} AS {cast})' if cast else value} AS {name(_alias(key))}"


def _alias(key: str) -> str:
    """A record's own field of that name must not be hidden by the partition's date."""
    return f"record_{key}" if key.lower() == "ingestion_date" else key
