"""Lake Formation's answers in the words of grants: it tells one thing in several ways. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from option_a.lakeformation.account import AccountFacts, Answer, Governed
from option_a.lakeformation.grants import (
    CRAWLER,
    EXECUTOR,
    KEEPER,
    AllTables,
    Cells,
    Columns,
    Database,
    Location,
    Resource,
    Table,
    group_principal,
)

IAM_ALLOWED = "IAM_ALLOWED_PRINCIPALS"
Key = tuple[str, Resource]


def who(answer: Answer) -> str:
    """The principal of a grant or of an opt-in."""
    return str(answer["Principal"]["DataLakePrincipalIdentifier"])


def by_iam(defaults: Iterable[Answer]) -> bool:
    """Whether default permissions leave it to IAM."""
    return any(who(one) == IAM_ALLOWED and one.get("Permissions") for one in defaults)


def read(resource: Answer) -> Resource | None:
    """What a resource is in the words of grants; None for one that no grant of ours is on."""
    match resource:
        case {"Database": _}:
            return Database()
        case {"Table": {"TableWildcard": _}} | {"Table": {"Name": "ALL_TABLES"}}:
            return AllTables()
        case {"TableWithColumns": {"Name": "ALL_TABLES"}}:
            return AllTables()
        case {"Table": {"Name": name}}:
            return Table(name)
        case {"TableWithColumns": {"Name": name, "ColumnNames": [*names]}} if names:
            return Columns(name, tuple(sorted(names)))
        case {"TableWithColumns": {"Name": name, "ColumnWildcard": {"ExcludedColumnNames": [*hidden]}}} if hidden:
            return Columns(name, None, tuple(sorted(hidden)))
        case {"TableWithColumns": {"Name": name}}:
            return Table(name)
        case {"DataCellsFilter": {"Name": name, "TableName": table}}:
            return Cells(name, Columns(table, None), "")
        case {"DataLocation": _}:
            return Location()
        case _:
            return None


def comparable(resource: Resource) -> Resource:
    """A declared resource as `read` gives it: what a filter lets through, its grant does not tell."""
    match resource:
        case Cells(filter=name, columns=columns):
            return Cells(name, Columns(columns.table, None), "")
        case Columns(table, names, hidden):
            return Columns(table, None if names is None else tuple(sorted(names)), tuple(sorted(hidden)))
        case other:
            return other


def let_through(data_filter: Answer) -> Cells:
    """What a data filter lets through; columns in order, so that two of them can be compared."""
    names = data_filter.get("ColumnNames") or None
    hidden = (data_filter.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or []
    columns = Columns(data_filter["TableName"], tuple(sorted(names)) if names else None, tuple(sorted(hidden)))
    return Cells(data_filter["Name"], columns, data_filter.get("RowFilter", {}).get("FilterExpression", ""))


def words(resource: Resource | None) -> str:
    """A resource in words."""
    match resource:
        case Database():
            return "the database"
        case AllTables():
            return "all tables"
        case Table(name):
            return f"the table {name}"
        case Columns(table, None, hidden):
            return f"the table {table} without {', '.join(hidden)}"
        case Columns(table, names):
            return f"the columns {', '.join(names or ())} of the table {table}"
        case Cells(filter=name):
            return f"the filter {name}"
        case Location():
            return "the location"
        case None:
            return "something else"


def current_grants(facts: AccountFacts) -> dict[Key, set[str]]:
    """Every permission that there is, of what grants of ours are on."""
    grants: dict[Key, set[str]] = {}
    for one in facts.grants:
        resource = read(one["Resource"])
        if resource is not None:
            grants.setdefault((who(one), resource), set()).update(one["Permissions"])
    return grants


def principals(stack: Governed, squeezed: Mapping[str, str]) -> dict[str, str]:
    """The ARN of each principal of grants, of those that are deployed; `squeezed` are the groups' names in outputs."""
    named = {name: name for name in (EXECUTOR, CRAWLER, KEEPER)}
    named |= {group_principal(name): f"Role{one}" for name, one in squeezed.items()}
    return {name: stack.principals[key] for name, key in named.items() if stack.principals.get(key)}
