"""The SQL that makes a lake queryable: a view a source, `raw` over every line, `partitions` over the ledger. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SAMPLE_ALL = 256 * 2**20
"""Compressed bytes of a source up to which its columns are inferred from every record, and not from a sample."""
LONGEST_LINE = 256 * 2**20
_TYPES = {
    "string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP", "decimal": "DECIMAL(38, 9)", "json": "JSON",
}  # fmt: skip
RESERVED = ("source", "ingestion_date")
"""Names that the partition's folders give; a record's own field of that name must not be hidden by them."""

RAW_COLUMNS = ("source", "ingestion_date", "page", "record")
EMPTY_RAW = (
    "CREATE VIEW raw AS SELECT ''::VARCHAR source, NULL::DATE ingestion_date, 0 page, ''::VARCHAR record WHERE false"
)
PARTITIONS = """
CREATE TABLE partitions (
    source VARCHAR, ingestion_date DATE, state VARCHAR, origin VARCHAR, run VARCHAR,
    pages BIGINT, records BIGINT, bytes BIGINT, cause VARCHAR
)
"""


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A quoted identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def files(paths: Sequence[str]) -> str:
    """A list of files or globs."""
    return "[" + ", ".join(map(quoted, paths)) + "]"


def raw_view(paths: Sequence[str]) -> str:
    """Every line as text. Read as CSV with a delimiter that JSON cannot hold raw, it needs no JSON reader's consent."""
    return f"""
CREATE VIEW raw AS
SELECT source, ingestion_date, CAST(regexp_extract(filename, 'page=(\\d+)', 1) AS INTEGER) AS page, record
FROM read_csv({files(paths)}, columns = {{'record': 'VARCHAR'}}, delim = '\x01', quote = '', escape = '',
    header = false, auto_detect = false, compression = 'gzip', max_line_size = {LONGEST_LINE}, filename = true,
    hive_partitioning = true, hive_types = {{'source': VARCHAR, 'ingestion_date': DATE}})
"""


def json_reader(paths: Sequence[str], columns: Mapping[str, str], *, sample_all: bool, hive: bool) -> str:
    """The call that reads a source's records, typed as declared or as inferred."""
    declared = ", ".join(f"{quoted(key)}: {quoted(_TYPES[kind])}" for key, kind in columns.items())
    how = [
        f"columns = {{{declared}}}" if declared else "union_by_name = true",
        "sample_size = -1, maximum_sample_files = 1000000" if sample_all and not declared else "",
        "hive_partitioning = true, hive_types = {'ingestion_date': DATE}"
        if hive
        else "hive_partitioning = false, filename = true",
    ]
    options = ", ".join(option for option in how if option)
    return (
        f"read_json({files(paths)}, format = 'newline_delimited', compression = 'gzip', "
        f"maximum_object_size = {LONGEST_LINE}, {options})"
    )


def source_view(view: str, reader: str) -> str:
    """A source's view, where no field of its records is called like a folder: dates prune files."""
    return f"CREATE VIEW {name(view)} AS SELECT ingestion_date, * EXCLUDE (source, ingestion_date) FROM {reader}"


def clashing_view(view: str, reader: str, fields: Sequence[str]) -> str:
    """The same where one is: the date comes from the file's name, and a field `ingestion_date` gets a prefix."""
    rename = "RENAME (ingestion_date AS record_ingestion_date)" if "ingestion_date" in fields else ""
    date = "CAST(regexp_extract(filename, 'ingestion_date=([0-9-]+)', 1) AS DATE)"
    return f"CREATE VIEW {name(view)} AS SELECT {date} AS ingestion_date, * EXCLUDE (filename) {rename} FROM {reader}"


def empty_view(view: str, columns: Mapping[str, str]) -> str:
    """A source of which nothing has landed: no rows, and the columns that are declared."""
    typed = "".join(f", NULL::{_TYPES[kind]} AS {name(key)}" for key, kind in columns.items())
    return f"CREATE VIEW {name(view)} AS SELECT NULL::DATE AS ingestion_date{typed} WHERE false"
