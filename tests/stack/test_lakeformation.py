"""Lake Formation's part of the templates, mode by mode: what is granted, in which order, and who administers it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from option_a.ingest.config.read import read_sources
from option_a.lakeformation import grants as said
from option_a.lakeformation.read import read_access
from tests.stack.assembly import STACK, Resource, default, flat
from tests.stack.governed import ACCESS, ADMINISTRATORS, BREAK_GLASS, SOURCES, Governed, governed

MODES = ("hybrid", "enforce")
DATABASE = "optionaingestiondemopy"
ACCOUNT = "${AWS::AccountId}"
EXECUTOR = (
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-hnb659fds-cfn-exec-role-${AWS::AccountId}-${AWS::Region}"
)
KEEPER = f"import {ADMINISTRATORS}-KeeperRoleArn"
PLACE = "${LakeBucketB1D32E10.Arn}/raw"


def grants(made: Governed) -> dict[str, Resource]:
    return made.all("LakeFormation::PrincipalPermissions")


def told(made: Governed) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Each grant as principal, kind, the resource less its catalog, and permissions."""
    found = []
    for one in map(plain, grants(made).values()):
        ((kind, resource),) = one["Resource"].items()
        assert {resource.pop("CatalogId", None), resource.pop("TableCatalogId", None)} - {None} == {ACCOUNT}
        assert resource.pop("DatabaseName", DATABASE) == DATABASE
        who = one["Principal"]["DataLakePrincipalIdentifier"]
        found.append((who, kind, json.dumps(resource, sort_keys=True), tuple(one["Permissions"])))
    return sorted(found)


def plain(value: Any) -> Any:
    """A template's value as text, imports by their names."""
    if isinstance(value, dict) and set(value) == {"Fn::ImportValue"}:
        return f"import {value['Fn::ImportValue']}"
    if isinstance(value, dict) and not any(key.startswith(("Fn::", "Ref")) for key in value):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else flat(value)


def role(made: Governed, group: str) -> str:
    """How the role of a group is called in grants."""
    return f"${{{made.root['Outputs'][f'Role{group}']['Value']['Fn::GetAtt'][0]}.Arn}}"


@pytest.mark.parametrize("mode", MODES)
def test_every_grant_is_there_and_no_other(mode: str) -> None:
    made = governed(mode)
    crawler = "${CatalogCrawlerRole4A2F2535.Arn}"
    database, every, location = f'{{"Name": "{DATABASE}"}}', '{"TableWildcard": {}}', f'{{"ResourceArn": "{PLACE}"}}'
    expected = [
        (EXECUTOR, "Database", database, ("ALTER", "CREATE_TABLE", "DESCRIBE", "DROP")),
        (EXECUTOR, "Table", every, ("ALTER", "DESCRIBE", "DROP")),
        (EXECUTOR, "DataLocation", location, ("DATA_LOCATION_ACCESS",)),
        (crawler, "Database", database, ("CREATE_TABLE", "DESCRIBE")),
        (crawler, "Table", every, ("ALTER", "DESCRIBE")),
        (crawler, "DataLocation", location, ("DATA_LOCATION_ACCESS",)),
        (KEEPER, "Database", database, ("ALTER", "DESCRIBE")),
        *(
            (role(made, name), "Database", database, ("DESCRIBE",))
            for name in ("All", "Plain", "Hidden", "Some", "Rows")
        ),
        (role(made, "All"), "Table", every, ("SELECT",)),
        (role(made, "Plain"), "Table", '{"Name": "api_b_lines"}', ("SELECT",)),
        (
            role(made, "Hidden"),
            "TableWithColumns",
            '{"ColumnWildcard": {"ExcludedColumnNames": ["email"]}, "Name": "api_a"}',
            ("SELECT",),
        ),
        (
            role(made, "Some"),
            "TableWithColumns",
            '{"ColumnNames": ["id", "ingestion_date"], "Name": "api_a"}',
            ("SELECT",),
        ),
        (role(made, "Rows"), "DataCellsFilter", '{"Name": "rows-api_a", "TableName": "api_a"}', ("SELECT",)),
    ]
    assert told(made) == sorted(expected)


@pytest.mark.parametrize("mode", MODES)
def test_grants_are_those_that_are_said_one_to_one(mode: str) -> None:
    sources = read_sources(SOURCES, {})
    every = said.permissions(read_access(ACCESS, sources), sources, "hybrid" if mode == "hybrid" else "enforce")
    assert sorted(tuple(one["Permissions"]) for one in grants(governed(mode)).values()) == sorted(
        one.permissions for one in every
    )


@pytest.mark.parametrize("mode", MODES)
def test_nobody_may_pass_anything_on(mode: str) -> None:
    assert {tuple(one["PermissionsWithGrantOption"]) for one in grants(governed(mode)).values()} == {()}


def test_a_filter_says_rows_and_columns() -> None:
    assert plain(governed("hybrid").one("LakeFormation::DataCellsFilter")) == {
        "TableCatalogId": ACCOUNT,
        "DatabaseName": DATABASE,
        "TableName": "api_a",
        "Name": "rows-api_a",
        "RowFilter": {"FilterExpression": "status = 'paid'"},
        "ColumnWildcard": {"ExcludedColumnNames": ["email"]},
    }


@pytest.mark.parametrize("mode", MODES)
def test_the_order_is_the_one_that_works(mode: str) -> None:
    made = governed(mode)
    location = made.resource("LakeFormation::Resource")
    (keeper,) = (id for id, one in made.root["Resources"].items() if one["Type"] == "Custom::OptionAAccess")
    tables, database = set(made.all("Glue::Table")), made.resource("Glue::Database")
    on_place = {id for id, one in grants(made).items() if "DataLocation" in one["Resource"]}
    on_tables = grants(made).keys() - on_place
    assert len(on_place) == 2
    for id in on_tables:
        assert {database, *tables} <= made.waits_for(id)
        assert not {location, keeper} & made.waits_for(id)
    # IAM's own grants are taken away before the location is Lake Formation's: no group sees too much for a moment
    assert on_tables <= made.waits_for(keeper)
    assert keeper in made.waits_for(location)
    for id in on_place:
        assert location in made.waits_for(id)


def test_a_grant_on_a_filter_waits_for_it() -> None:
    made = governed("hybrid")
    (id,) = (id for id, one in grants(made).items() if "DataCellsFilter" in one["Resource"])
    assert made.resource("LakeFormation::DataCellsFilter") in made.waits_for(id)


def test_the_function_may_do_its_work_before_it_is_called_and_until_it_has_left() -> None:
    made = governed("enforce")
    (keeper,) = (id for id, one in made.root["Resources"].items() if one["Type"] == "Custom::OptionAAccess")
    rights = made.resource("IAM::Policy")
    assert {rights, "KeeperFn"} <= made.waits_for(keeper)
    assert made.all("IAM::Policy")[rights]["Roles"] == [{"Fn::ImportValue": f"{ADMINISTRATORS}-KeeperRoleName"}]


@pytest.mark.parametrize("mode", MODES)
def test_the_location_is_read_by_a_role_of_its_own(mode: str) -> None:
    made = governed(mode)
    location = made.one("LakeFormation::Resource")
    assert (location["UseServiceLinkedRole"], location["HybridAccessEnabled"]) == (False, mode == "hybrid")
    assert flat(location["ResourceArn"]) == PLACE
    data = made.all("IAM::Role")[location["RoleArn"]["Fn::GetAtt"][0]]
    (trust,) = data["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lakeformation.amazonaws.com"}
    assert flat(trust["Condition"]) == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    (policy,) = data["Policies"]
    assert flat(policy["PolicyDocument"]["Statement"]) == [
        {"Action": "s3:GetObject", "Effect": "Allow", "Resource": f"{PLACE}/*"},
        {
            "Action": "s3:ListBucket",
            "Effect": "Allow",
            "Resource": PLACE.removesuffix("/raw"),
            "Condition": {"StringLike": {"s3:prefix": ["raw/*"]}},
        },
    ]


def test_administrators_are_added_and_none_is_replaced() -> None:
    template = governed("enforce").administrators
    (settings,) = (one for one in template["Resources"].values() if one["Type"].startswith("AWS::LakeFormation::"))
    assert settings["Properties"].keys() == {"Admins", "MutationType"}, "the account's default settings are its own"
    assert settings["Properties"]["MutationType"] == "APPEND"
    (keeper,) = (id for id, one in template["Resources"].items() if one["Type"] == "AWS::IAM::Role")
    admins = [flat(one["DataLakePrincipalIdentifier"]) for one in settings["Properties"]["Admins"]]
    assert admins == [EXECUTOR, f"${{{keeper}.Arn}}", BREAK_GLASS]


def test_administrators_stay_when_their_stack_goes() -> None:
    resources = governed("enforce").administrators["Resources"]
    assert {one["Type"] for one in resources.values()} == {"AWS::LakeFormation::DataLakeSettings", "AWS::IAM::Role"}
    assert {(one["DeletionPolicy"], one["UpdateReplacePolicy"]) for one in resources.values()} == {("Retain", "Retain")}


def test_the_keepers_role_has_no_rights_while_the_pipeline_is_not_there() -> None:
    (role,) = (
        one for one in governed("hybrid").administrators["Resources"].values() if one["Type"] == "AWS::IAM::Role"
    )
    assert role["Properties"].keys() == {"AssumeRolePolicyDocument", "Description"}


def test_no_administrator_but_ours_where_none_is_named() -> None:
    template = governed("hybrid", admin=False).administrators
    (settings,) = (one for one in template["Resources"].values() if "LakeFormation" in one["Type"])
    assert len(settings["Properties"]["Admins"]) == 2


@pytest.mark.parametrize("mode", MODES)
def test_the_administrators_come_first_and_go_last(mode: str) -> None:
    made = governed(mode)
    assert made.dependencies == [ADMINISTRATORS]
    exported = {one["Export"]["Name"] for one in made.administrators["Outputs"].values() if "Export" in one}
    assert {f"{ADMINISTRATORS}-KeeperRoleArn", f"{ADMINISTRATORS}-KeeperRoleName"} == exported
    assert "ImportValue" not in json.dumps(made.administrators), "neither waits for the other in a ring"


def test_the_executors_rights_outlast_the_stack_or_nobody_could_drop_the_database() -> None:
    made = governed("enforce")
    kept = [
        plain(one["Properties"]["Resource"])
        for one in made.whole("LakeFormation::PrincipalPermissions").values()
        if one.get("DeletionPolicy") == "Retain"
    ]
    assert [next(iter(resource)) for resource in kept] == ["Database", "Table"]


def access(made: Governed) -> Resource:
    (found,) = (one for one in made.root["Resources"].values() if one["Type"] == "Custom::OptionAAccess")
    properties: Resource = found["Properties"]
    return properties


def test_groups_are_opted_in_in_hybrid_mode() -> None:
    made = governed("hybrid")
    asked = plain(access(made))
    assert (asked["Database"], asked["Mode"]) == (DATABASE, "hybrid")
    assert {one["Principal"]: one["Tables"] for one in asked["OptIns"]} == {
        role(made, "All"): ["*"],
        role(made, "Plain"): ["api_b_lines"],
        role(made, "Hidden"): ["api_a"],
        role(made, "Some"): ["api_a"],
        role(made, "Rows"): ["api_a"],
    }


def test_nobody_needs_to_be_where_it_is_enforced() -> None:
    asked = access(governed("enforce"))
    assert (asked["Mode"], asked["OptIns"]) == ("enforce", [])


def test_another_table_makes_the_keeper_look_again() -> None:
    more = SOURCES + '[sources.api-c]\nurl = "https://api.example.com"\n'
    assert access(governed("enforce"))["Seen"] != access(governed("enforce", more))["Seen"]


def test_the_keeper_is_of_the_same_asset_as_the_other_functions() -> None:
    functions = governed("hybrid").all("Lambda::Function")
    assert len({flat(one["Code"]["S3Key"]) for one in functions.values()}) == 1
    assert functions["KeeperFn"]["Handler"] == "keeper.handler"
    assert functions["KeeperFn"]["Role"] == {"Fn::ImportValue": f"{ADMINISTRATORS}-KeeperRoleArn"}


@pytest.mark.parametrize(
    "wanted",
    [lambda one: "LakeFormation" in one, lambda one: "lakeformation" in one, lambda one: "OptionAAccess" in one],
)
def test_off_leaves_nothing_in_the_template(wanted: Callable[[str], bool]) -> None:
    assert not wanted(json.dumps(default().root))
    assert wanted(json.dumps(governed("hybrid").root))


def test_the_rest_of_the_stack_is_the_same_in_every_mode() -> None:
    """Access is added to the pipeline: nothing of it is changed, and nothing waits for access."""
    plain_stack = governed("hybrid").root["Resources"]
    from tests.stack.assembly import synthesize

    for id, one in synthesize(SOURCES).root["Resources"].items():
        assert plain_stack[id] == one, id


def test_a_group_has_outputs_to_go_by() -> None:
    outputs = governed("hybrid").root["Outputs"]
    assert outputs["LakeFormation"]["Value"] == "hybrid"
    assert outputs["WorkgroupHidden"]["Value"] == f"{STACK}-hidden"
    assert {f"Role{name}" for name in ("All", "Plain", "Hidden", "Some", "Rows")} <= outputs.keys()
