"""What Lake Formation, IAM and CloudFormation say of an account, as they say it. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Answer = dict[str, Any]


class Governed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployed stack whose access is Lake Formation's."""

    mode: Literal["hybrid", "enforce"]
    database: str
    place: str
    """The ARN of the location of its pages."""
    principals: dict[str, str]
    """The ARNs of the executor, the crawler, the keeper and the groups; of a group that is not deployed, none."""
    new_tables: list[Answer] = []
    """The default permissions of the database's new tables."""
    opt_ins: list[Answer] = []
    filters: list[Answer] = []
    """The data filters on the database's tables."""


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One account in one region, and the stack in it, where it is there in one of the modes."""

    account: str
    region: str
    caller: str
    settings: Answer
    """The account's own, whole: who changes one of them has to put them all."""
    dead: list[str]
    """The administrators whom IAM no longer knows."""
    executor: str
    executor_policies: list[str] | None
    """The names of the policies of the role that CDK deploys with; None where there is no such role."""
    locations: list[Answer]
    grants: list[Answer]
    """On the catalog, on the stack's database and on what is in it."""
    stack: Governed | None = None

    @property
    def administrators(self) -> list[str]:
        """Who administers Lake Formation."""
        return [one["DataLakePrincipalIdentifier"] for one in self.settings.get("DataLakeAdmins", [])]
