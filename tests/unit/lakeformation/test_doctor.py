"""The doctor over an account's answers: what is missing is told, with a command that mends exactly that."""

from __future__ import annotations

import json
import shlex
from typing import Any

import msgspec
import pytest

from option_a.ingest.config.read import read_sources
from option_a.lakeformation.account import AccountFacts, Governed
from option_a.lakeformation.doctor import Finding, diagnose
from option_a.lakeformation.fixes import as_resource
from option_a.lakeformation.granted import read
from option_a.lakeformation.grants import opt_ins, permissions
from option_a.lakeformation.read import read_access

ACCOUNT = "123456789012"
PLACE = "arn:aws:s3:::lake/raw"
STACK = "OptionAIngestionDemoPy"
EXECUTOR = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/Other"
SOURCES = read_sources(
    '[sources.api-a]\nurl = "https://x.example"\ncolumns = { id = "bigint", email = "string" }\n'
    '[sources.api-b]\nurl = "https://x.example"\n',
    {},
)
GROUPS = read_access(
    """
    [groups.all]
    sources = "*"
    [groups.hidden]
    sources = ["api-a"]
    without = ["email"]
    [groups.rows]
    sources = ["api-a"]
    rows = "id > 3"
    """,
    SOURCES,
)
ROLES = {f"Role{name}": f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("All", "Hidden", "Rows")}
PRINCIPALS = {"executor": EXECUTOR, "crawler": f"{OTHER}Crawler", "keeper": f"{OTHER}Keeper", **ROLES}
BY_IAM = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]
SETTINGS = {
    "DataLakeAdmins": [{"DataLakePrincipalIdentifier": arn} for arn in (OTHER, EXECUTOR)],
    "CreateDatabaseDefaultPermissions": BY_IAM,
    "CreateTableDefaultPermissions": BY_IAM,
    "Parameters": {"CROSS_ACCOUNT_VERSION": "4"},
}


FILTER = {
    "TableCatalogId": ACCOUNT, "DatabaseName": "ours", "TableName": "api_a", "Name": "rows-api_a",
    "RowFilter": {"FilterExpression": "id > 3"}, "ColumnWildcard": {"ExcludedColumnNames": []}, "VersionId": "7",
}  # fmt: skip


def arn(who: str) -> str:
    return PRINCIPALS[f"Role{who.removeprefix('group:').capitalize()}" if who.startswith("group:") else who]


def answer(who: str, resource: dict[str, Any], granted: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"Principal": {"DataLakePrincipalIdentifier": who}, "Resource": resource, "Permissions": [*granted]}


def well(mode: Any = "hybrid") -> AccountFacts:
    """An account in which everything is as it should be."""
    told = permissions(GROUPS, SOURCES, mode)
    return AccountFacts(
        account=ACCOUNT, region="eu-west-1", caller=f"arn:aws:sts::{ACCOUNT}:assumed-role/Other/ana",
        settings=SETTINGS, dead=[], executor=EXECUTOR, executor_policies=["AdministratorAccess"],
        locations=[{"ResourceArn": PLACE, "RoleArn": OTHER, "HybridAccessEnabled": mode == "hybrid"}],
        grants=[
            answer(arn(one.who), as_resource(one.resource, "ours", PLACE, ACCOUNT), one.permissions) for one in told
        ],
        stack=Governed(
            mode=mode, database="ours", place=PLACE, principals=PRINCIPALS,
            new_tables=BY_IAM if mode == "hybrid" else [],
            filters=[FILTER],
            opt_ins=[
                answer(arn(one.who), as_resource(one.resource, "ours", PLACE, ACCOUNT))
                for one in opt_ins(GROUPS, SOURCES, mode)
            ],
        ),
    )  # fmt: skip


def bad(facts: AccountFacts) -> list[Finding]:
    return [one for one in diagnose(facts, STACK, GROUPS, SOURCES) if one.state in ("missing", "wrong")]


def only(facts: AccountFacts, about: str) -> Finding:
    (found,) = bad(facts)
    assert found.about == about
    assert found.fix
    return found


def change(facts: AccountFacts, **changed: Any) -> AccountFacts:
    return msgspec.structs.replace(facts, **changed)


def in_stack(facts: AccountFacts, **changed: Any) -> AccountFacts:
    assert facts.stack is not None
    return change(facts, stack=msgspec.structs.replace(facts.stack, **changed))


def option(command: str, name: str) -> Any:
    """The JSON of an option of a command, as a shell would hand it over."""
    words = shlex.split(command)
    return json.loads(words[words.index(f"--{name}") + 1])


@pytest.mark.parametrize("mode", ["hybrid", "enforce"])
def test_where_all_is_well_nothing_is_to_mend(mode: str) -> None:
    assert bad(well(mode)) == []
    assert {one.state for one in diagnose(well(mode), STACK, GROUPS, SOURCES)} == {"ok"}


def test_a_dead_administrator_is_taken_out_and_every_other_setting_kept() -> None:
    dead = f"arn:aws:iam::{ACCOUNT}:role/Gone"
    settings = {**SETTINGS, "DataLakeAdmins": [*SETTINGS["DataLakeAdmins"], {"DataLakePrincipalIdentifier": dead}]}  # type: ignore[misc]
    found = only(change(well(), settings=settings, dead=[dead]), "administrators")
    assert f"{dead} is gone from IAM" in found.what
    assert option(found.fix, "data-lake-settings") == SETTINGS


def test_an_executor_that_is_no_administrator_is_added_and_nobody_lost() -> None:
    settings = {**SETTINGS, "DataLakeAdmins": [{"DataLakePrincipalIdentifier": OTHER}]}
    found = only(change(well(), settings=settings), "executor")
    assert option(found.fix, "data-lake-settings") == SETTINGS


def test_the_first_administrators_are_made_by_the_deployment() -> None:
    found = only(change(well(), settings={**SETTINGS, "DataLakeAdmins": []}), "executor")
    assert found.fix == f"cdk deploy --all -c stack={STACK} -c lakeFormation=hybrid"


def test_an_account_that_is_not_bootstrapped() -> None:
    assert only(change(well(), executor_policies=None), "executor").fix == f"cdk bootstrap aws://{ACCOUNT}/eu-west-1"


def test_an_executor_with_fewer_rights_is_noted() -> None:
    facts = change(well(), executor_policies=["Small"])
    assert bad(facts) == []
    assert any("no AdministratorAccess" in one.what for one in diagnose(facts, STACK, GROUPS, SOURCES))


def test_who_is_no_administrator_is_told_that_they_see_a_part() -> None:
    told = diagnose(change(well(), caller=f"arn:aws:iam::{ACCOUNT}:user/ana"), STACK, GROUPS, SOURCES)
    assert told[0].state == "note"
    assert "is not an administrator" in told[0].what


def test_an_account_whose_databases_are_lake_formations_needs_a_grant_to_create_one() -> None:
    strict = {**SETTINGS, "DataLakeAdmins": [], "CreateDatabaseDefaultPermissions": []}
    facts = change(well(), settings=strict, stack=None, grants=[])
    assert [one.about for one in bad(facts)] == ["executor", "defaults"]
    mend = bad(facts)[1].fix
    assert option(mend, "principal") == {"DataLakePrincipalIdentifier": EXECUTOR}
    assert option(mend, "resource") == {"Catalog": {}}
    granted = change(facts, grants=[answer(EXECUTOR, {"Catalog": {}}, ("CREATE_DATABASE",))])
    assert [one.about for one in bad(granted)] == ["executor"]


def test_a_stack_that_is_not_deployed_is_noted_with_the_command() -> None:
    facts = change(well(), stack=None, grants=[])
    assert bad(facts) == []
    last = diagnose(facts, STACK, GROUPS, SOURCES)[-1]
    assert last.fix == f"cdk deploy --all -c stack={STACK} -c lakeFormation=hybrid"


@pytest.mark.parametrize(
    ("locations", "told"),
    [
        ([], "is not registered"),
        ([{"ResourceArn": "arn:aws:s3:::lake", "RoleArn": OTHER}], "is not registered"),
        ([{"ResourceArn": PLACE, "RoleArn": "arn:x:role/AWSServiceRoleForLakeFormationDataAccess"}], "service-linked"),
        ([{"ResourceArn": PLACE, "RoleArn": OTHER, "HybridAccessEnabled": False}], "not registered in the mode hybrid"),
    ],
)
def test_a_location_that_is_not_as_declared(locations: list[dict[str, Any]], told: str) -> None:
    assert told in only(change(well(), locations=locations), "location").what


@pytest.mark.parametrize("number", range(len(permissions(GROUPS, SOURCES, "enforce"))))
def test_each_grant_that_is_missing_is_told_with_the_command_that_grants_it(number: int) -> None:
    facts = well("enforce")
    gone = facts.grants[number]
    found = only(change(facts, grants=[one for one in facts.grants if one is not gone]), "grants")
    assert option(found.fix, "principal") == gone["Principal"]
    assert read(option(found.fix, "resource")) == read(gone["Resource"])
    words = shlex.split(found.fix)
    assert words[:3] == ["aws", "lakeformation", "grant-permissions"]
    assert set(gone["Permissions"]) <= set(words)


def test_what_a_group_was_given_by_hand_is_wrong_and_is_taken_back() -> None:
    more = answer(ROLES["RoleHidden"], {"Table": {"DatabaseName": "ours", "Name": "api_a_lines"}}, ("SELECT",))
    facts = well("enforce")
    found = only(change(facts, grants=[*facts.grants, more]), "grants")
    assert "has SELECT on the table api_a_lines, which access.toml does not give it" in found.what
    assert option(found.fix, "resource") == more["Resource"]


def test_a_whole_table_in_place_of_a_part_is_wrong() -> None:
    facts = well("enforce")
    more = answer(
        ROLES["RoleHidden"],
        {"TableWithColumns": {"DatabaseName": "ours", "Name": "api_a", "ColumnWildcard": {}}},
        ("SELECT",),
    )
    assert "on the table api_a, which" in only(change(facts, grants=[*facts.grants, more]), "grants").what


def test_what_somebody_else_was_given_is_noted() -> None:
    facts = well("enforce")
    more = answer(f"{OTHER}Ana", {"Database": {"Name": "ours"}}, ("DESCRIBE",))
    facts = change(facts, grants=[*facts.grants, more])
    assert bad(facts) == []
    assert any(
        f"{OTHER}Ana has DESCRIBE on the database" in one.what for one in diagnose(facts, STACK, GROUPS, SOURCES)
    )


def test_iams_own_grants_are_wrong_where_it_is_enforced_and_right_where_it_is_not() -> None:
    mine = answer("IAM_ALLOWED_PRINCIPALS", {"Table": {"DatabaseName": "ours", "Name": "api_a"}}, ("ALL",))
    found = only(change(well("enforce"), grants=[*well("enforce").grants, mine]), "enforce")
    assert "IAM alone still decides of the table api_a" in found.what
    assert shlex.split(found.fix)[2] == "revoke-permissions"
    assert bad(change(well(), grants=[*well().grants, mine])) == []


def test_new_tables_that_would_be_iams_are_wrong_where_it_is_enforced() -> None:
    found = only(in_stack(well("enforce"), new_tables=BY_IAM), "enforce")
    assert found.fix == f"cdk deploy --all -c stack={STACK} -c lakeFormation=enforce"


@pytest.mark.parametrize("number", range(len(opt_ins(GROUPS, SOURCES, "hybrid"))))
def test_each_opt_in_that_is_missing_is_told_with_its_command(number: int) -> None:
    facts = well()
    assert facts.stack is not None
    left = [one for place, one in enumerate(facts.stack.opt_ins) if place != number]
    found = only(in_stack(facts, opt_ins=left), "opt-ins")
    gone = facts.stack.opt_ins[number]
    assert option(found.fix, "principal") == gone["Principal"]
    assert option(found.fix, "resource") == gone["Resource"]


@pytest.mark.parametrize(
    "changed",
    [
        {"RowFilter": {"AllRowsWildcard": {}}},
        {"RowFilter": {"FilterExpression": "id > 2"}},
        {"ColumnWildcard": {"ExcludedColumnNames": ["email"]}},
        {"ColumnWildcard": None, "ColumnNames": ["id"]},
    ],
)
def test_a_filter_that_was_changed_by_hand_is_wrong_and_is_set_right(changed: dict[str, Any]) -> None:
    found = only(in_stack(well("enforce"), filters=[FILTER | changed]), "filters")
    assert shlex.split(found.fix)[2] == "update-data-cells-filter"
    assert option(found.fix, "table-data") == {key: FILTER[key] for key in FILTER if key != "VersionId"}


def test_a_filter_that_is_gone_is_missing() -> None:
    found = only(in_stack(well("enforce"), filters=[]), "filters")
    assert shlex.split(found.fix)[2] == "create-data-cells-filter"


def test_a_group_that_is_declared_and_not_deployed() -> None:
    facts = well("enforce")
    assert facts.stack is not None
    left = {name: arn for name, arn in facts.stack.principals.items() if name != "RoleRows"}
    grants = [one for one in facts.grants if one["Principal"]["DataLakePrincipalIdentifier"] != ROLES["RoleRows"]]
    found = only(in_stack(change(facts, grants=grants), principals=left), "grants")
    assert (found.what, found.fix) == ("the group rows is not deployed", "cdk deploy --all")
