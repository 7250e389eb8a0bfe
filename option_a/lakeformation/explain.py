"""What a group sees of each source, and why, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from option_a.ingest.config import Source
from option_a.lakeformation.groups import Account, Group, IdentityCenter, Principals
from option_a.lakeformation.tables import columns_of, seen_sources, table_names, visible_tables


class TableAccess(msgspec.Struct, frozen=True):
    """One table of a source: whether it is seen, how much of it, and why. A text table has no columns to tell apart."""

    source: str
    table: str
    seen: bool
    why: str
    columns: list[str] = []
    hidden: list[str] = []
    rows: str | None = None


def explain(group: Group, sources: Mapping[str, Source]) -> list[TableAccess]:
    """Every table of every source, in the order of sources.toml."""
    mine = {source.name for source in seen_sources(group, sources)}
    return [
        line
        for source in sources.values()
        for line in (_named(group, source) if source.name in mine else _not_named(source))
    ]


def who(group: Group) -> str:
    """Who may be of the group."""
    rule = group.who
    if isinstance(rule, Account):
        return "whoever of the account is allowed, by IAM, to assume the group's role"
    if isinstance(rule, Principals):
        return ", ".join(rule.arns)
    if isinstance(rule, IdentityCenter):
        return f"whoever has the permission set {rule.permission_set} of IAM Identity Center"
    conditions = "".join(f", {key} = {value}" for key, value in rule.attributes.items())
    return f"whoever signs in at {rule.provider}{conditions}"


def _not_named(source: Source) -> list[TableAccess]:
    why = "the group's `sources` do not name it"
    return [TableAccess(source.name, table, seen=False, why=why) for table in table_names(source)]


def _named(group: Group, source: Source) -> list[TableAccess]:
    found = {sight.table: sight for sight in visible_tables(group, {source.name: source})}
    return [
        _seen(group, source, table) if table in found else _withheld(source, table) for table in table_names(source)
    ]


def _seen(group: Group, source: Source, table: str) -> TableAccess:
    (sight,) = (sight for sight in visible_tables(group, {source.name: source}) if sight.table == table)
    there = list(columns_of(source)) if table == source.view else []
    seen = [name for name in there if name not in sight.hidden and (sight.columns is None or name in sight.columns)]
    return TableAccess(
        source.name, table, seen=True, why=_why(group), columns=seen,
        hidden=[name for name in there if name not in seen], rows=sight.rows,
    )  # fmt: skip


def _withheld(source: Source, table: str) -> TableAccess:
    why = "the group is limited by column or row, and here a record is one text, of which no part can be hidden"
    return TableAccess(source.name, table, seen=False, why=why)


def _why(group: Group) -> str:
    named = 'its `sources` are "*", those to come included' if group.sources == "*" else "its `sources` name it"
    limits = [f"`{key}`" for key in ("columns", "without", "rows") if getattr(group, key)]
    return named + (f", limited by {' and '.join(limits)}" if limits else "")
