"""The function that keeps access as declared where CloudFormation cannot, and the resource that calls it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from aws_cdk import CustomResource, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from option_a.constructs import roles as access
from option_a.constructs.catalog import Catalog
from option_a.constructs.functions import ARCHITECTURES, Functions
from option_a.constructs.lakeformation.admins import exported
from option_a.constructs.switches import Switches
from option_a.lakeformation.grants import AllTables, Database, OptIn, Table

_PERMISSIONS = ["GrantPermissions", "ListPermissions", "RevokePermissions"]
_OPT_INS = ["CreateLakeFormationOptIn", "DeleteLakeFormationOptIn", "ListLakeFormationOptIns"]
_MEMORY = 256
_PATIENCE = Duration.minutes(15)


class Keeper(Construct):
    """Runs at a deployment that changes who sees what, and when the stack goes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        catalog: Catalog,
        functions: Functions,
        switches: Switches,
        opt_ins: Sequence[OptIn],
        principals: Mapping[str, str],
        tables: Iterable[str],
    ) -> None:
        super().__init__(scope, id)
        self.arn = Fn.import_value(exported(switches, "KeeperRoleArn"))
        log = logs.LogGroup(self, "Log", removal_policy=RemovalPolicy.DESTROY)
        cast(logs.CfnLogGroup, log.node.default_child).retention_in_days = switches.logRetention
        rights = iam.CfnPolicy(
            self,
            "Rights",
            policy_name=f"{catalog.name}-keeper",
            roles=[Fn.import_value(exported(switches, "KeeperRoleName"))],
            policy_document=iam.PolicyDocument(statements=_rights(catalog, log)),
        )
        self.resource = CustomResource(
            self,
            "Access",
            resource_type="Custom::OptionAAccess",
            service_token=self._function(functions, switches, log).function_arn,
            service_timeout=_PATIENCE,
            properties={
                "Database": catalog.name,
                "Mode": switches.lakeFormation,
                "OptIns": _by_principal(opt_ins, principals),
                "Seen": _digest(sorted(tables), Stack.of(self).resolve(catalog.database.database_input)),
            },
        )
        self.resource.node.add_dependency(rights)

    def _function(self, functions: Functions, switches: Switches, log: logs.ILogGroup) -> lambda_.Function:
        function = lambda_.Function(
            self,
            "Function",
            code=functions.code,
            handler="keeper.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[switches.architecture],
            description="Keeps who may read what in the lake as access.toml declares it",
            memory_size=_MEMORY,
            timeout=_PATIENCE,
            role=iam.Role.from_role_arn(self, "Role", self.arn, mutable=False),
            log_group=log,
            environment={"POWERTOOLS_SERVICE_NAME": switches.stack},
        )
        cast(lambda_.CfnFunction, function.node.default_child).override_logical_id("KeeperFn")
        return function


def _digest(*parts: object) -> str:
    """Of what the keeper's work rests on: another table, or a database that CloudFormation writes anew, calls it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _rights(catalog: Catalog, log: logs.ILogGroup) -> list[iam.PolicyStatement]:
    database = [access.arn("glue", place) for place in ("catalog", f"database/{catalog.name}")]
    return [
        # Lake Formation knows no resources in IAM: which ones it may touch, its own permissions say
        iam.PolicyStatement(actions=[f"lakeformation:{name}" for name in (*_PERMISSIONS, *_OPT_INS)], resources=["*"]),
        iam.PolicyStatement(actions=["glue:GetDatabase", "glue:UpdateDatabase"], resources=database),
        iam.PolicyStatement(
            actions=["glue:GetTable", "glue:GetTables"],
            resources=[*database, access.arn("glue", f"table/{catalog.name}/*")],
        ),
        iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]),
    ]


def _by_principal(opt_ins: Iterable[OptIn], principals: Mapping[str, str]) -> list[dict[str, object]]:
    tables: dict[str, list[str]] = {}
    for one in opt_ins:
        mine = tables.setdefault(one.who, [])
        match one.resource:
            case AllTables():
                mine.append("*")
            case Table(name):
                mine.append(name)
            case Database():
                pass  # it always goes with its tables
    return [{"Principal": principals[who], "Tables": names} for who, names in tables.items()]
