"""What each key of sources.toml means: read from texts.toml, and held against the types. Pure, but for the one file."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import msgspec

from option_a.ingest.config import ApiKey, Basic, Bearer, OAuth2, Source, Window
from option_a.ingest.decode import Fields
from option_a.ingest.pagination import (
    CursorPaginator,
    LinkHeaderPaginator,
    NextUrlPaginator,
    OffsetPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)

STRUCTS: dict[str, type[msgspec.Struct]] = {
    struct.__name__: struct
    for struct in (
        Source,
        Window,
        Fields,
        PageNumberPaginator,
        OffsetPaginator,
        CursorPaginator,
        NextUrlPaginator,
        LinkHeaderPaginator,
        SinglePagePaginator,
        Bearer,
        ApiKey,
        Basic,
        OAuth2,
    )
}


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One or two keys that are told of together."""

    keys: list[str]
    meaning: str = ""
    default: str | None = None
    """Where the default itself would not say it."""
    like: str | None = None
    """The struct whose key of that name means the same."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a struct, or some of them. `name` is that of its place in docs/sources.md, if it has one there."""

    struct: str
    rows: list[Row]
    name: str | None = None


def tables() -> list[Table]:
    """Every table of texts.toml."""
    document = tomllib.loads(files("option_a.schema").joinpath("texts.toml").read_text("utf-8"))
    return msgspec.convert(document["table"], list[Table])


def fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.inspect.Field]:
    """The keys of a struct as the file has them, but for the name of a source, which is that of its table."""
    kind = msgspec.inspect.type_info(struct)
    assert isinstance(kind, msgspec.inspect.StructType)
    return {field.encode_name: field for field in kind.fields if (struct, field.name) != (Source, "name")}


def meanings(found: list[Table]) -> dict[tuple[str, str], str]:
    """Struct and key to what the key means."""
    rows = {(table.struct, key): row for table in found for row in table.rows for key in row.keys}
    return {place: rows[row.like, place[1]].meaning if row.like else row.meaning for place, row in rows.items()}


def markdown(table: Table) -> str:
    """A table as docs/sources.md has it."""
    rows = [
        f"| `{'`, `'.join(row.keys)}` | {row.default or _defaults(table.struct, row.keys)} | {row.meaning} |"
        for row in table.rows
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *(row.replace("|  |", "| |") for row in rows)])


def _defaults(struct: str, keys: list[str]) -> str:
    known = fields(STRUCTS[struct])
    shown = [_shown(known[key]) for key in keys]
    return shown[0] if len(set(shown)) == 1 else ", ".join(shown)


def _shown(field: msgspec.inspect.Field) -> str:
    if field.required:
        return "required"
    value: Any = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if value is None:
        return "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{msgspec.json.encode(value).decode()}`"
