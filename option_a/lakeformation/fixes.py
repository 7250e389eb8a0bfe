"""The commands of AWS's command line that mend what is missing. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import Any

from option_a.lakeformation.account import AccountFacts, Answer
from option_a.lakeformation.grants import AllTables, Cells, Columns, Database, Grant, Location, OptIn, Resource, Table


def put_administrators(facts: AccountFacts, administrators: Iterable[str]) -> str:
    """Set the administrators. The call replaces every setting of the account, so that it repeats the others."""
    admins = [{"DataLakePrincipalIdentifier": arn} for arn in administrators]
    return _aws("put-data-lake-settings", "data-lake-settings", {**facts.settings, "DataLakeAdmins": admins})


def grant(given: Grant, principal: str, facts: AccountFacts) -> str:
    """Grant what is declared."""
    assert facts.stack is not None
    resource = as_resource(given.resource, facts.stack.database, facts.stack.place, facts.account)
    return _permissions("grant-permissions", principal, resource, given.permissions)


def revoke(found: Answer) -> str:
    """Take back what was granted."""
    who = found["Principal"]["DataLakePrincipalIdentifier"]
    return _permissions("revoke-permissions", who, found["Resource"], found["Permissions"])


def create_database(principal: str) -> str:
    """Let somebody create databases."""
    return _permissions("grant-permissions", principal, {"Catalog": {}}, ["CREATE_DATABASE"])


def filter_cells(cells: Cells, database: str, account: str, *, there: bool) -> str:
    """Make a data filter, or make it what is declared."""
    verb = "update-data-cells-filter" if there else "create-data-cells-filter"
    return _aws(verb, "table-data", as_filter(cells, database, account))


def as_filter(cells: Cells, database: str, account: str) -> dict[str, Any]:
    """A data filter as Lake Formation's API calls it."""
    some = cells.columns
    columns = {"ColumnNames": list(some.names)} if some.names is not None else {}
    wildcard = {"ColumnWildcard": {"ExcludedColumnNames": list(some.hidden)}} if some.names is None else {}
    return {
        "TableCatalogId": account, "DatabaseName": database, "TableName": some.table, "Name": cells.filter,
        "RowFilter": {"FilterExpression": cells.rows}, **columns, **wildcard,
    }  # fmt: skip


def opt_in(asked: OptIn, principal: str, database: str) -> str:
    """Have Lake Formation decide of it for a principal."""
    who = json.dumps({"DataLakePrincipalIdentifier": principal})
    resource = as_resource(asked.resource, database, "", "")
    return f"aws lakeformation create-lake-formation-opt-in --principal {shlex.quote(who)} --resource {_json(resource)}"


def as_resource(resource: Resource, database: str, place: str, account: str) -> dict[str, Any]:
    """A resource as Lake Formation's API calls it."""
    match resource:
        case Database():
            return {"Database": {"Name": database}}
        case AllTables():
            return {"Table": {"DatabaseName": database, "TableWildcard": {}}}
        case Table(name):
            return {"Table": {"DatabaseName": database, "Name": name}}
        case Columns(table, names, hidden):
            some = {"ColumnWildcard": {"ExcludedColumnNames": list(hidden)}} if names is None else {}
            named = {} if names is None else {"ColumnNames": list(names)}
            return {"TableWithColumns": {"DatabaseName": database, "Name": table, **some, **named}}
        case Cells(filter=name, columns=columns):
            cells = {"TableCatalogId": account, "DatabaseName": database, "TableName": columns.table, "Name": name}
            return {"DataCellsFilter": cells}
        case Location():
            return {"DataLocation": {"ResourceArn": place}}


def _permissions(verb: str, principal: str, resource: Answer, permissions: Iterable[str]) -> str:
    who = json.dumps({"DataLakePrincipalIdentifier": principal})
    return (
        f"aws lakeformation {verb} --principal {shlex.quote(who)} --permissions {' '.join(permissions)} "
        f"--resource {_json(resource)}"
    )


def _aws(verb: str, option: str, value: object) -> str:
    return f"aws lakeformation {verb} --{option} {_json(value)}"


def _json(value: object) -> str:
    return shlex.quote(json.dumps(value))
