"""access.toml to groups. Pure; a mistake names file, table, key and the way out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from option_a.ingest.config import Source, check_keys, explain_validation, unknown_key
from option_a.ingest.errors import ConfigError, Where
from option_a.lakeformation.groups import NAME, Account, Group, Groups, IdentityCenter, Principals, Saml
from option_a.lakeformation.row_filter import check_rows
from option_a.lakeformation.tables import columns_of, named, seen_sources
from option_a.names import PARTITION_KEY

FILE = "access.toml"
STYLES: Mapping[str, type[msgspec.Struct]] = {
    "account": Account,
    "principals": Principals,
    "identity_center": IdentityCenter,
    "saml": Saml,
}
_KEYS = [field for field in Group.__struct_fields__ if field != "name"]
_LIMITED = ("api-a", "api-b")


def read_access(text: str | None, sources: Mapping[str, Source], file: str = FILE) -> Groups:
    """The groups that a file (None: there is none) declares over these sources. Raises ConfigError."""
    try:
        groups = _defaults(sources) if text is None else _parse(text)
        for group in groups.values():
            _check_sources(group, sources)
            _check_columns(group, sources)
            _check_rows(group, sources)
        return groups
    except ConfigError as error:
        raise error.at(Where(file=file)) from None


def _defaults(sources: Mapping[str, Source]) -> Groups:
    """All sources; and two of them, or the first where those two are not there."""
    two = tuple(name for name in _LIMITED if name in sources) or (next(iter(sources)),)
    return {
        "analysts-all": Group(name="analysts-all", sources="*"),
        "analysts-limited": Group(name="analysts-limited", sources=two),
    }


def _parse(text: str) -> Groups:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not TOML: {error}") from None
    check_keys("the file", document, ["groups"])
    tables = document.get("groups")
    if not isinstance(tables, dict) or not tables:
        raise ConfigError("no groups", hint='declare at least one: [groups.analysts] and sources = "*"')
    groups = {name: _group(name, table) for name, table in tables.items()}
    _distinct(groups)
    return groups


def _group(name: str, table: Any) -> Group:
    place = _place(name)
    if not NAME.fullmatch(name):
        raise ConfigError(f"{place}: the name may hold a-z, 0-9 and -, at most 40, and begin with a letter")
    if not isinstance(table, dict):
        raise ConfigError(f"{place} is not a table", hint=f"write {place} on its own line, with its keys below")
    check_keys(place, table, _KEYS)
    if not isinstance(table.get("sources"), list) and table.get("sources") != "*":
        raise ConfigError(f"{place}: `sources` is missing or not a list", hint='sources = ["api-a"], or "*" for all')
    for key in ("columns", "without"):
        if table.get(key) == []:
            raise ConfigError(f"{place}: `{key}` is empty", hint="name some, or leave it out: all are seen then")
    _check_who(place, table.get("who"))
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    try:
        return msgspec.convert({**given, "name": name}, Group)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {explain_validation(error, table, Group)}") from None


def _check_who(place: str, table: Any) -> None:
    if table is None:
        return
    if not isinstance(table, dict) or not isinstance(table.get("style"), str):
        hint = 'for example who = { style = "identity_center", permission_set = "DataAnalyst" }'
        raise ConfigError(f"{place}: `who` is a table with a `style`", hint=hint)
    if table["style"] not in STYLES:
        raise ConfigError(f"{place}: who.style {unknown_key(table['style'], STYLES)}")
    check_keys(f"{place} who", table, ["style", *STYLES[table["style"]].__struct_fields__])


def _check_sources(group: Group, sources: Mapping[str, Source]) -> None:
    for name in () if group.sources == "*" else group.sources:
        if name not in sources:
            raise ConfigError(f"{_place(group.name)}: source {unknown_key(name, sources)}")


def _check_columns(group: Group, sources: Mapping[str, Source]) -> None:
    """A limit needs declared columns, and a name that is none would hide nothing."""
    if not group.limited:
        return
    mine = seen_sources(group, sources)
    for source in mine:
        if not source.columns:
            raise ConfigError(
                f"{_place(group.name)} limits columns or rows, and source `{source.name}` declares no `columns`: "
                "its records are one text, of which no part can be hidden",
                hint=f"option-a preview {source.name} --columns prints the line for sources.toml",
            )
    there = {column for source in mine for column in columns_of(source)}
    for key in (*group.columns, *group.without):
        if not named([key]) <= there:
            raise ConfigError(f"{_place(group.name)}: column {unknown_key(key, sorted(there))}")
    if group.without and named(group.without) & {PARTITION_KEY}:
        raise ConfigError(f"{_place(group.name)}: `{PARTITION_KEY}` is the day, and no query can do without")
    for source in mine:
        _check_some_left(group, source)


def _check_some_left(group: Group, source: Source) -> None:
    there = columns_of(source).keys() - {PARTITION_KEY}
    left = there & named(group.columns) if group.columns else there - named(group.without)
    if not left:
        raise ConfigError(
            f"{_place(group.name)} would see no column of source `{source.name}`", hint="leave it out of `sources`"
        )


def _check_rows(group: Group, sources: Mapping[str, Source]) -> None:
    if group.rows is None:
        return
    for source in seen_sources(group, sources):
        try:
            check_rows(group.rows, columns_of(source))
        except ValueError as error:
            raise ConfigError(f"{_place(group.name)}: `rows`, over source `{source.name}`: {error}") from None


def _distinct(groups: Groups) -> None:
    taken: dict[str, str] = {}
    for group in groups.values():
        key = group.logical_id.lower()
        if key in taken:
            raise ConfigError(f"{_place(group.name)} and {taken[key]} would be one name in CloudFormation")
        taken[key] = _place(group.name)


def _place(name: str) -> str:
    return f"[groups.{name}]"
