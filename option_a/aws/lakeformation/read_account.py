"""Reads what the doctor goes by. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from option_a.aws.pages import items
from option_a.aws.stack.session import Session, aws_errors, code
from option_a.lakeformation.account import AccountFacts, Answer, Governed

_EXECUTOR = "cdk-hnb659fds-cfn-exec-role"
_GONE = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_ROLE = "Role"


def read_facts(session: Session, stack: str) -> AccountFacts:
    """What is said of the account, and of the stack where it is there. Raises ConfigError or AwsError."""
    with aws_errors("ask who asks"):
        me = session.client("sts").get_caller_identity()
    lake = session.client("lakeformation")
    partition, region = me["Arn"].split(":")[1], lake.meta.region_name
    administrators = _outputs(session, f"{stack}-Administrators")
    usual = f"arn:{partition}:iam::{me['Account']}:role/{_EXECUTOR}-{me['Account']}-{region}"
    executor = administrators.get("Executor", usual)
    with aws_errors("read Lake Formation's settings"):
        settings = lake.get_data_lake_settings()["DataLakeSettings"]
        locations = list(items(lake.list_resources, "ResourceInfoList"))
    governed = _governed(session, stack, executor, administrators.get("KeeperRoleArn", ""))
    return AccountFacts(
        account=me["Account"],
        region=region,
        caller=me["Arn"],
        settings=settings,
        dead=_dead(session, settings),
        executor=executor,
        executor_policies=_policies(session, executor),
        locations=locations,
        grants=_grants(lake, governed),
        stack=governed,
    )


def _governed(session: Session, name: str, executor: str, keeper: str) -> Governed | None:
    outputs = _outputs(session, name)
    if outputs.get("LakeFormation") not in ("hybrid", "enforce"):
        return None
    principals = {"executor": executor, "keeper": keeper, "crawler": _crawler(session, outputs["Crawler"], executor)}
    # the groups by their names in CloudFormation: who knows access.toml knows which is which
    principals |= {key: value for key, value in outputs.items() if key.startswith(_ROLE)}
    partition, database = executor.split(":")[1], outputs["GlueDatabase"]
    with aws_errors(f"look at the database {database}"):
        found = session.client("glue").get_database(Name=database)["Database"]
    with aws_errors("read who is opted in"):
        opt_ins = list(_opt_ins(session, principals)) if outputs["LakeFormation"] == "hybrid" else []
    with aws_errors("read the data filters"):
        filters = list(items(session.client("lakeformation").list_data_cells_filter, "DataCellsFilters"))
    return Governed(
        mode="hybrid" if outputs["LakeFormation"] == "hybrid" else "enforce",
        database=database,
        place=f"arn:{partition}:s3:::{outputs['LakeBucket']}/raw",
        principals=principals,
        new_tables=found.get("CreateTableDefaultPermissions") or [],
        opt_ins=opt_ins,
        filters=[one for one in filters if one["DatabaseName"] == database],
    )


def _outputs(session: Session, stack: str) -> Mapping[str, str]:
    """The outputs of a stack; none where there is no such stack."""
    with aws_errors(f"look at the stack {stack}"):
        try:
            (found,) = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if code(error) == "ValidationError":
                return {}
            raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _crawler(session: Session, name: str, executor: str) -> str:
    """The ARN of the crawler's role, which Glue may tell by its name alone."""
    with aws_errors(f"look at the crawler {name}"):
        role: str = session.client("glue").get_crawler(Name=name)["Crawler"]["Role"]
    return role if role.startswith("arn:") else f"{executor.rpartition('/')[0]}/{role}"


def _grants(lake: Any, governed: Governed | None) -> list[Answer]:
    with aws_errors("list what is granted"):
        every = list(items(lake.list_permissions, "PrincipalResourcePermissions"))
    return [one for one in every if _concerns(one["Resource"], governed)]


def _concerns(resource: Answer, governed: Governed | None) -> bool:
    if governed is None or "Catalog" in resource:
        return "Catalog" in resource
    places = [value for value in resource.values() if isinstance(value, dict)]
    ours = {governed.database, governed.place}
    return any({one.get("Name"), one.get("DatabaseName"), one.get("ResourceArn")} & ours for one in places)


def _opt_ins(session: Session, principals: Mapping[str, str]) -> Iterator[Answer]:
    for name, arn in principals.items():
        if name.startswith(_ROLE):
            asked = {"DataLakePrincipalIdentifier": arn}
            lake = session.client("lakeformation")
            yield from items(lake.list_lake_formation_opt_ins, "LakeFormationOptInsInfoList", Principal=asked)


def _dead(session: Session, settings: Answer) -> list[str]:
    admins = [one["DataLakePrincipalIdentifier"] for one in settings.get("DataLakeAdmins", [])]
    return [arn for arn in admins if not _lives(session, arn)]


def _lives(session: Session, arn: str) -> bool:
    """Whether IAM knows a user or a role; of anything else nobody can tell."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    name = path.rpartition("/")[2]
    if kind not in ("role", "user"):
        return True
    iam = session.client("iam")
    with aws_errors(f"look for {arn}"):
        try:
            iam.get_role(RoleName=name) if kind == "role" else iam.get_user(UserName=name)
        except ClientError as error:
            if code(error) in _GONE:
                return False
            raise
    return True


def _policies(session: Session, arn: str) -> list[str] | None:
    with aws_errors(f"look at {arn}"):
        try:
            found = session.client("iam").list_attached_role_policies(RoleName=arn.rpartition("/")[2])
        except ClientError as error:
            if code(error) in _GONE:
                return None
            raise
    return [policy["PolicyName"] for policy in found["AttachedPolicies"]]
