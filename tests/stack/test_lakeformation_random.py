"""access.toml files made up at random, down to the template: what grants and IAM together let a group see."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from option_a.constructs.catalog import Catalog
from option_a.constructs.lake import Lake
from option_a.constructs.lakeformation.analysts import Analysts
from option_a.constructs.lakeformation.grants import Grants
from option_a.constructs.switches import Switches
from option_a.lakeformation import grants as said
from option_a.lakeformation.groups import Groups
from option_a.lakeformation.tables import table_names
from tests.stack.governed import Resolved
from tests.support.aws.access_cases import DAY, AccessCase, access_cases, athena_name
from tests.support.aws.iam import AwsCall, is_allowed
from tests.support.aws.moto import ACCOUNT, REGION

SWITCHES = Switches(lakeFormation="hybrid")


def stack(app: App, case: AccessCase, groups: Groups, name: str) -> None:
    """A stack with the groups of a case, as the pipeline's has them."""
    made = Stack(app, name)
    lake = Lake(made, "Lake", switches=SWITCHES)
    catalog = Catalog(made, "Catalog", lake=lake)
    for group in groups.values():
        tables = said.tables(group, case.sources)
        members = Analysts(
            made, group.logical_id, group=group, tables=tables, lake=lake, catalog=catalog, switches=SWITCHES
        )
        grants = said.group_permissions(group, case.sources)
        principals = {said.group_principal(group.name): members.role.role_arn}
        Grants(
            made, f"{group.logical_id}Grants", grants=grants, principals=principals, database=catalog.name, place="x"
        )


def seen(template: Resolved, case: AccessCase, group: str) -> set[tuple[str, str]]:
    """The columns that a group can read: IAM has to let it ask for the table, and Lake Formation has to show it."""
    (role,) = (
        name for name, item in template.resources.items()
        if item["Type"] == "AWS::IAM::Role" and f"The group {group}:" in item["Properties"].get("Description", "")
    )  # fmt: skip
    policies = [one["PolicyDocument"] for one in template.resolve(template.resources[role]["Properties"]["Policies"])]
    mine = [
        one for one in template.of_type("AWS::LakeFormation::PrincipalPermissions").values()
        if one["Principal"]["DataLakePrincipalIdentifier"] == template.resolve({"Fn::GetAtt": [role, "Arn"]})
    ]  # fmt: skip
    found = set()
    for name, source in case.sources.items():
        there = {*(athena_name(key) for key in source.columns), DAY}
        for table in table_names(source):
            arn = f"arn:aws:glue:{REGION}:{ACCOUNT}:table/{template.stack.lower()}/{table}"
            if not is_allowed(AwsCall("glue:GetTable", arn), policies):
                continue
            for grant in mine:
                if "SELECT" in grant["Permissions"]:
                    found |= {(name, column) for column in shown(template, grant["Resource"], table, there)}
    return found


def shown(template: Resolved, resource: Mapping[str, Any], table: str, there: set[str]) -> set[str]:
    ((kind, told),) = resource.items()
    if kind == "DataCellsFilter" and told["TableName"] == table:
        (told,) = (
            one
            for one in template.of_type("AWS::LakeFormation::DataCellsFilter").values()
            if one["Name"] == told["Name"]
        )
        kind, told = "TableWithColumns", {**told, "Name": told["TableName"]}
    if kind == "Table" and ("TableWildcard" in told or told["Name"] == table):
        return there
    if kind == "TableWithColumns" and told["Name"] == table:
        named = told.get("ColumnNames")
        return there & {*named} if named else there - {*told["ColumnWildcard"].get("ExcludedColumnNames", [])}
    return set()


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(access_cases(), min_size=4, max_size=6))
def test_a_group_reads_what_it_was_given_no_more_and_no_less(some: list[AccessCase]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder)
        read = {f"Case{number}": (case, case.read()) for number, case in enumerate(some)}
        for name, (case, groups) in read.items():
            stack(app, case, groups, name)
        app.synth()
        for name, (case, groups) in read.items():
            template = Resolved(json.loads((Path(folder) / f"{name}.template.json").read_text()), name)
            for group in groups:
                assert seen(template, case, group) == case.may_see(group)
