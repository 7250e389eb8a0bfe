"""The tables that a group sees, and how much of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from option_a.ingest.config import Source
from option_a.ingest.decode import ColumnType
from option_a.lakeformation.groups import Group
from option_a.names import PARTITION_KEY, athena_column, text_table


class VisibleTable(msgspec.Struct, frozen=True):
    """One table of a source, as a group sees it. `columns` None: every column, those to come included."""

    source: str
    table: str
    columns: tuple[str, ...] | None = None
    hidden: tuple[str, ...] = ()
    rows: str | None = None


def columns_of(source: Source) -> dict[str, ColumnType]:
    """The columns of a source's typed table by their names in Athena, its partition key among them."""
    declared: dict[str, ColumnType] = {athena_column(key): kind for key, kind in source.columns.items()}
    return {**declared, PARTITION_KEY: "string"}


def table_names(source: Source) -> list[str]:
    """Its tables: one that has each record as text, and a typed one where columns are declared."""
    return [text_table(source.view), *([source.view] if source.columns else [])]


def seen_sources(group: Group, sources: Mapping[str, Source]) -> list[Source]:
    """The sources of a group, in the order of sources.toml."""
    return [source for name, source in sources.items() if group.sources == "*" or name in group.sources]


def visible_tables(group: Group, sources: Mapping[str, Source]) -> list[VisibleTable]:
    """Every table that a group sees."""
    tables: list[VisibleTable] = []
    for source in seen_sources(group, sources):
        if group.limited:
            tables.append(_limited(group, source))
            continue
        tables += [VisibleTable(source.name, table) for table in table_names(source)]
    return tables


def named(keys: Iterable[str]) -> set[str]:
    """Columns as Athena calls them."""
    return {athena_column(key) for key in keys}


def _limited(group: Group, source: Source) -> VisibleTable:
    there = columns_of(source)
    allowed, excluded = named(group.columns), named(group.without)
    rows = group.rows.strip() if group.rows else None
    if group.columns:
        # a day cannot be asked for by somebody who may not see the partition key
        seen = tuple(name for name in there if name in allowed or name == PARTITION_KEY)
        return VisibleTable(source.name, source.view, columns=seen, rows=rows)
    return VisibleTable(source.name, source.view, hidden=tuple(name for name in there if name in excluded), rows=rows)
