"""Declared columns as Athena's OpenX JSON SerDe reads them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from option_a.constructs.projection import KEY
from option_a.ingest.config import Source
from option_a.ingest.decode import ColumnType
from option_a.ingest.errors import ConfigError
from option_a.names import athena_column

SERDE = "org.openx.data.jsonserde.JsonSerDe"
GLUE: Mapping[ColumnType, str] = {
    "string": "string",
    "bigint": "bigint",
    "double": "double",
    "boolean": "boolean",
    # the SerDe takes dates and times in Java's form alone and fails the whole query on ISO 8601's `T` and `Z`
    "date": "string",
    "timestamp": "string",
    # it parses numbers to doubles first: a decimal column would hold digits that the API never sent
    "decimal": "string",
    # as text for json_extract: a struct would break on the first record that has another shape
    "json": "string",
}


def columns(source: Source) -> dict[str, str]:
    """Glue's columns: each name to its type. Raises ConfigError where two keys would be one column."""
    names: dict[str, str] = {}
    for key in source.columns:
        name = athena_column(key)
        if name == KEY:
            raise ConfigError(
                f"[sources.{source.name}] columns: `{key}` is the name of the partition in Athena",
                hint=f"leave it out of `columns`; its value is in the record of {source.view}_lines",
            )
        if name in names:
            raise ConfigError(
                f"[sources.{source.name}] columns: `{names[name]}` and `{key}` are the same column in Athena, {name}",
                hint="leave one of them out of `columns`",
            )
        names[name] = key
    return {name: GLUE[source.columns[key]] for name, key in names.items()}


def serde(source: Source) -> dict[str, str]:
    """The SerDe's parameters: keys are told apart by case and dots, columns are not."""
    dots = any("." in key for key in source.columns)
    spelled = {athena_column(key): key.replace(".", "_") for key in source.columns}
    mapped = {f"mapping.{name}": key for name, key in spelled.items() if name != key}
    return {
        # such a line is a row of nulls: it counts, and <view>_lines has its text
        "ignore.malformed.json": "true",
        "case.insensitive": "false" if any(key != key.lower() for key in source.columns) else "true",
        **({"dots.in.keys": "true"} if dots else {}),
        **mapped,
    }
