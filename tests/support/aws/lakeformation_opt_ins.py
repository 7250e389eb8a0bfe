"""Adds Lake Formation's three opt-in calls to moto, which lacks them, for tests of the access reconciler."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import moto.lakeformation.urls as moto_urls

from tests.support.aws.moto import MotoServer

OPT_INS: list[dict[str, Any]] = []
"""The opt-ins; like the rest of moto's state, all servers of a process share them."""
_PAGE = 2
IAM_ALLOWED = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
ALL = {"Permissions": ["ALL"], "PermissionsWithGrantOption": []}
Answer = tuple[int, dict[str, str], str]


def _create(asked: dict[str, Any]) -> dict[str, Any]:
    OPT_INS.append(asked)
    return {}


def _delete(asked: dict[str, Any]) -> dict[str, Any]:
    OPT_INS.remove(asked)
    return {}


def _list(asked: dict[str, Any]) -> dict[str, Any]:
    """A few at a time, to catch callers that do not paginate."""
    mine = [one for one in OPT_INS if asked.get("Principal") in (None, one["Principal"])]
    start = int(asked.get("NextToken", 0))
    more = {"NextToken": str(start + _PAGE)} if len(mine) > start + _PAGE else {}
    return {"LakeFormationOptInsInfoList": mine[start : start + _PAGE], **more}


def _route(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any, str, Any], Answer]:
    def routed(request: Any, url: str, headers: Any) -> Answer:
        return 200, {"Content-Type": "application/json"}, json.dumps(answer(json.loads(request.data)))

    return routed


moto_urls.url_paths |= {
    "{0}/CreateLakeFormationOptIn$": _route(_create),
    "{0}/DeleteLakeFormationOptIn$": _route(_delete),
    "{0}/ListLakeFormationOptIns$": _route(_list),
}


class FakeCatalog:
    """A Glue database in an account where IAM decides: with grants to IAMAllowedPrincipals."""

    def __init__(self, aws: MotoServer, name: str) -> None:
        OPT_INS.clear()
        self.name, self.lake, self.glue = name, aws.client("lakeformation"), aws.client("glue")
        default = [{"Principal": IAM_ALLOWED, "Permissions": ["ALL"]}]
        self.glue.create_database(DatabaseInput={"Name": name, "Description": "ours", "Parameters": {"a": "b"},
                                                 "CreateTableDefaultPermissions": default})  # fmt: skip
        self.allow(self.database)

    @property
    def database(self) -> dict[str, Any]:
        return {"Database": {"Name": self.name}}

    def table(self, name: str) -> dict[str, Any]:
        return {"Table": {"DatabaseName": self.name, "Name": name}}

    def make(self, *tables: str) -> None:
        """Create tables with the database's default permissions."""
        for name in tables:
            self.glue.create_table(DatabaseName=self.name, TableInput={"Name": name})
            if self.described()["CreateTableDefaultPermissions"]:
                self.allow(self.table(name))

    def allow(self, resource: dict[str, Any]) -> None:
        self.lake.grant_permissions(Principal=IAM_ALLOWED, Resource=resource, Permissions=["ALL"])

    def allowed(self) -> list[str]:
        """The tables for which IAM alone decides; '' is the database."""
        given = self.lake.list_permissions()["PrincipalResourcePermissions"]
        mine = [one["Resource"] for one in given if one["Principal"] == IAM_ALLOWED]
        names = [one.get("Table", {"DatabaseName": one.get("Database", {}).get("Name"), "Name": ""}) for one in mine]
        return sorted(one["Name"] for one in names if one["DatabaseName"] == self.name)

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.glue.get_database(Name=self.name)["Database"]
        return found

    def opted_in(self) -> list[tuple[str, str]]:
        """Who is opted in to what; '' is the database, '*' all its tables."""
        pairs = [(one["Principal"]["DataLakePrincipalIdentifier"], one["Resource"]) for one in OPT_INS]
        return sorted((who, one["Table"].get("Name", "*") if "Table" in one else "") for who, one in pairs)
