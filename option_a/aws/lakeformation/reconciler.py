"""Keeps access to one database as it was declared, where CloudFormation has no resource for it.

In hybrid mode groups are opted in to Lake Formation; in enforce mode the grants to IAMAllowedPrincipals, by which IAM
alone decides, are taken from the database and from its tables, and from nothing else. What is taken is written into the
database's own parameters before: a run that broke off is mended by the next, and all of it can be given back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from option_a.aws.pages import items

IAM_ALLOWED = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
IAM_DECIDES = [{"Principal": IAM_ALLOWED, "Permissions": ["ALL"]}]
"""The default permissions of a database whose new tables are IAM's."""
RECORD = "option-a.taken"
EVERY = "*"
"""Among the tables of an opt-in: all of the database."""
_INPUT = ("Name", "Description", "LocationUri", "Parameters", "CreateTableDefaultPermissions", "TargetDatabase")
"""What Glue tells of a database that it takes again in an update."""


class OptIn(msgspec.Struct, frozen=True, rename="pascal"):
    """For this principal Lake Formation decides of the database, and of these tables of it."""

    principal: str
    tables: list[str]


class Wanted(msgspec.Struct, frozen=True, rename="pascal"):
    """The properties of the custom resource."""

    database: str
    mode: Literal["hybrid", "enforce"] = "hybrid"
    opt_ins: list[OptIn] = []


class RevokedGrants(msgspec.Struct, frozen=True):
    """Where IAMAllowedPrincipals had its grant: on the database, on new tables by default, on these tables."""

    database: bool = False
    default: bool = False
    tables: tuple[str, ...] = ()

    def __or__(self, other: RevokedGrants) -> RevokedGrants:
        tables = sorted({*self.tables, *other.tables})
        return RevokedGrants(self.database or other.database, self.default or other.default, tuple(tables))


class AccessReconciler:
    """Runs as often as it is asked to: what is as it should be is left alone."""

    def __init__(self, lakeformation: Any, glue: Any) -> None:
        self._lake, self._glue = lakeformation, glue

    def apply(self, wanted: Wanted, before: Collection[OptIn] = ()) -> None:
        """Make it so; `before` are an earlier deployment's opt-ins. No group is without its limits meanwhile."""
        if wanted.mode == "enforce":
            self._revoke_iam_grants(wanted.database)
        self._opt_in(wanted, before)
        if wanted.mode == "hybrid":
            self._restore_iam_grants(wanted.database)

    def revert(self, wanted: Wanted) -> None:
        """Undo all of it. A database that is gone needs nothing."""
        try:
            self.apply(Wanted(wanted.database), wanted.opt_ins)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise

    def _revoke_iam_grants(self, name: str) -> None:
        database = self._database(name)
        taken = _recorded(database) | RevokedGrants(default=_is_iams(database))
        self._record(database, taken)  # first of all: a table that comes now would have the grant
        found = self._found(name)
        self._record(database, taken | found)
        for resource in _resources(name, found):
            self._lake.revoke_permissions(Principal=IAM_ALLOWED, Resource=resource, Permissions=["ALL"])

    def _restore_iam_grants(self, name: str) -> None:
        database = self._database(name)
        taken = _recorded(database)
        if taken == RevokedGrants():
            return
        # tables that came meanwhile would have had the grant by default; those that went need none
        there = [table for table in self._tables(name) if taken.default or table in taken.tables]
        for resource in _resources(name, RevokedGrants(taken.database, tables=tuple(there))):
            self._lake.grant_permissions(Principal=IAM_ALLOWED, Resource=resource, Permissions=["ALL"])
        parameters = {key: value for key, value in database["Parameters"].items() if key != RECORD}
        default = IAM_DECIDES if taken.default else database.get("CreateTableDefaultPermissions") or []
        self._update(database, Parameters=parameters, CreateTableDefaultPermissions=default)

    def _found(self, name: str) -> RevokedGrants:
        tables = [table for table in self._tables(name) if self._allowed(_table(name, table))]
        return RevokedGrants(database=self._allowed(_database(name)), tables=tuple(tables))

    def _allowed(self, resource: Mapping[str, Any]) -> bool:
        """Whether IAM alone decides of a database or of a table."""
        given = items(self._lake.list_permissions, "PrincipalResourcePermissions", Resource=resource)
        return any(one["Principal"] == IAM_ALLOWED and resource.keys() == one["Resource"].keys() for one in given)

    def _opt_in(self, wanted: Wanted, before: Iterable[OptIn]) -> None:
        asked = {pair for one in wanted.opt_ins for pair in _pairs(one)}
        old = {pair for one in before for pair in _pairs(one)} - asked
        there = {
            (who, resource)
            for who in sorted({who for who, _ in asked | old})
            for resource in self._opted_in(wanted.database, who)
        }
        for who, table in sorted(old & there):
            self._lake.delete_lake_formation_opt_in(**_opt_in(wanted.database, who, table))
        for who, table in sorted(asked - there):
            self._lake.create_lake_formation_opt_in(**_opt_in(wanted.database, who, table))

    def _opted_in(self, name: str, who: str) -> Iterator[str]:
        """What of the database a principal is opted in to: '' the database, '*' all its tables, or a table's name."""
        principal = {"DataLakePrincipalIdentifier": who}
        for one in items(self._lake.list_lake_formation_opt_ins, "LakeFormationOptInsInfoList", Principal=principal):
            resource = one["Resource"]
            if resource.get("Database", {}).get("Name") == name:
                yield ""
            if resource.get("Table", {}).get("DatabaseName") == name:
                yield resource["Table"].get("Name", EVERY)

    def _database(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._glue.get_database(Name=name)["Database"]
        return {key: value for key, value in found.items() if value is not None}

    def _tables(self, name: str) -> list[str]:
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=name)
        return sorted(table["Name"] for page in pages for table in page["TableList"])

    def _record(self, database: Mapping[str, Any], taken: RevokedGrants) -> None:
        parameters = {**database.get("Parameters", {}), RECORD: msgspec.json.encode(taken).decode()}
        self._update(database, Parameters=parameters, CreateTableDefaultPermissions=[])

    def _update(self, database: Mapping[str, Any], **changed: Any) -> None:
        kept = {key: database[key] for key in _INPUT if key in database}
        self._glue.update_database(Name=database["Name"], DatabaseInput={**kept, **changed})


def _is_iams(database: Mapping[str, Any]) -> bool:
    return any(one.get("Principal") == IAM_ALLOWED for one in database.get("CreateTableDefaultPermissions") or [])


def _recorded(database: Mapping[str, Any]) -> RevokedGrants:
    text = database.get("Parameters", {}).get(RECORD)
    return msgspec.json.decode(text, type=RevokedGrants) if text else RevokedGrants()


def _resources(name: str, taken: RevokedGrants) -> list[dict[str, Any]]:
    """Tables first: a run that breaks off leaves the database as the sign that it is not done."""
    return [*(_table(name, table) for table in taken.tables), *([_database(name)] if taken.database else [])]


def _database(name: str) -> dict[str, Any]:
    return {"Database": {"Name": name}}


def _table(database: str, table: str) -> dict[str, Any]:
    named: dict[str, Any] = {"TableWildcard": {}} if table == EVERY else {"Name": table}
    return {"Table": {"DatabaseName": database, **named}}


def _pairs(one: OptIn) -> list[tuple[str, str]]:
    return [(one.principal, table) for table in ("", *one.tables)]


def _opt_in(database: str, who: str, table: str) -> dict[str, Any]:
    resource = _table(database, table) if table else _database(database)
    return {"Principal": {"DataLakePrincipalIdentifier": who}, "Resource": resource}
