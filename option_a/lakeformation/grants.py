"""What Lake Formation is told: who gets which permissions on what. Pure; the stack renders it one to one.

Nothing else is granted. SELECT shows the columns that it is given for; DESCRIBE of a table would show the names of all,
so analysts have it on the database alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from option_a.ingest.config import Source
from option_a.lakeformation.groups import Group, Groups
from option_a.lakeformation.tables import VisibleTable, visible_tables

Mode = Literal["off", "hybrid", "enforce"]
EXECUTOR, CRAWLER, KEEPER = "executor", "crawler", "keeper"
"""The role that CloudFormation deploys with, the crawler's, and that of the function that keeps access as declared."""
_OF = "group:"


class Database(msgspec.Struct, frozen=True, tag=True):
    """The stack's database."""


class AllTables(msgspec.Struct, frozen=True, tag=True):
    """Every table of it, those to come included."""


class Table(msgspec.Struct, frozen=True, tag=True):
    """One table, whole."""

    name: str


class Columns(msgspec.Struct, frozen=True, tag=True):
    """Some columns of a table: those named; or, where `names` is None, all but the hidden ones."""

    table: str
    names: tuple[str, ...] | None
    hidden: tuple[str, ...] = ()


class Cells(msgspec.Struct, frozen=True, tag=True):
    """What a filter lets through: some rows of a table, and of these some columns."""

    filter: str
    columns: Columns
    rows: str


class Location(msgspec.Struct, frozen=True, tag=True):
    """The place of the tables in the bucket."""


Resource = Database | AllTables | Table | Columns | Cells | Location


class Grant(msgspec.Struct, frozen=True):
    """One set of permissions of one principal on one resource."""

    who: str
    resource: Resource
    permissions: tuple[str, ...]


class OptIn(msgspec.Struct, frozen=True):
    """In hybrid mode: for this principal it is Lake Formation that decides of this resource, and not IAM alone."""

    who: str
    resource: Database | AllTables | Table


def group_principal(name: str) -> str:
    """How a group is called among the principals."""
    return _OF + name


def group_of(who: str) -> str | None:
    """The name of the group that a principal is; None for the pipeline's own."""
    return who.removeprefix(_OF) if who.startswith(_OF) else None


def permissions(groups: Groups, sources: Mapping[str, Source], mode: Mode) -> list[Grant]:
    """Every grant of the stack."""
    if mode == "off":
        return []
    return [*_PIPELINE, *(grant for group in groups.values() for grant in group_permissions(group, sources))]


def group_permissions(group: Group, sources: Mapping[str, Source]) -> list[Grant]:
    """The grants of one group."""
    who = group_principal(group.name)
    return [Grant(who, Database(), ("DESCRIBE",)), *(Grant(who, one, ("SELECT",)) for one in _seen(group, sources))]


def opt_ins(groups: Groups, sources: Mapping[str, Source], mode: Mode) -> list[OptIn]:
    """The opt-ins of the stack: what a group is granted, the whole table where it is granted a part."""
    if mode != "hybrid":
        return []
    return [
        OptIn(group_principal(group.name), resource)
        for group in groups.values()
        for resource in (Database(), *_tables(group, sources))
    ]


def tables(group: Group, sources: Mapping[str, Source]) -> list[str] | None:
    """The names of the tables that a group may ask Glue for; None for all of the database."""
    found = _tables(group, sources)
    return None if AllTables() in found else [table.name for table in found if isinstance(table, Table)]


def _seen(group: Group, sources: Mapping[str, Source]) -> Iterable[Resource]:
    if group.sources == "*" and not group.limited:
        return [AllTables()]
    return [_part(group, sight) for sight in visible_tables(group, sources)]


def _part(group: Group, sight: VisibleTable) -> Resource:
    some = Columns(sight.table, sight.columns, sight.hidden)
    if sight.rows is not None:
        return Cells(f"{group.name}-{sight.table}", some, sight.rows)
    return some if sight.columns is not None or sight.hidden else Table(sight.table)


def _tables(group: Group, sources: Mapping[str, Source]) -> list[AllTables | Table]:
    if group.sources == "*" and not group.limited:
        return [AllTables()]
    return [Table(sight.table) for sight in visible_tables(group, sources)]


# the executor may do most of it unsaid, as creator; said, it may also where somebody else made a table
_PIPELINE = (
    Grant(EXECUTOR, Database(), ("ALTER", "CREATE_TABLE", "DESCRIBE", "DROP")),
    Grant(EXECUTOR, AllTables(), ("ALTER", "DESCRIBE", "DROP")),
    Grant(EXECUTOR, Location(), ("DATA_LOCATION_ACCESS",)),
    Grant(CRAWLER, Database(), ("CREATE_TABLE", "DESCRIBE")),
    Grant(CRAWLER, AllTables(), ("ALTER", "DESCRIBE")),
    Grant(CRAWLER, Location(), ("DATA_LOCATION_ACCESS",)),
    Grant(KEEPER, Database(), ("ALTER", "DESCRIBE")),
)
