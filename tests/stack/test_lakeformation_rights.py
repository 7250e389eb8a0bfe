"""What IAM lets a group do, judged by the evaluator: its own queries, its own results, nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from option_a.aws.lakeformation.reconciler import AccessReconciler, OptIn, Wanted
from tests.stack.assembly import STACK
from tests.stack.governed import ADMINISTRATORS, Resolved, governed
from tests.support.aws.iam import AwsCall, is_allowed
from tests.support.aws.lakeformation_opt_ins import FakeCatalog
from tests.support.aws.moto import ACCOUNT, REGION, moto_server

GROUPS = ("all", "plain", "hidden", "some", "rows")
LAKE, RESULTS = "arn:aws:s3:::lakebucketb1d32e10", "arn:aws:s3:::lakeresults1933d710"
DATABASE = "optionaingestiondemopy"
ATHENA, GLUE = f"arn:aws:athena:{REGION}:{ACCOUNT}", f"arn:aws:glue:{REGION}:{ACCOUNT}"
TLS = ("aws:SecureTransport", "true")


@cache
def resolved(mode: str) -> Resolved:
    return governed(mode).resolved


@cache
def policies(group: str, mode: str = "hybrid") -> list[dict[str, Any]]:
    (role,) = (
        item["Properties"] for name, item in resolved(mode).resources.items()
        if item["Type"] == "AWS::IAM::Role" and f"The group {group}:" in item["Properties"].get("Description", "")
    )  # fmt: skip
    return [resolved(mode).resolve(policy["PolicyDocument"]) for policy in role["Policies"]]


def may(group: str, action: str, resource: str, **context: str) -> bool:
    """Whether a group may do it, the policies of buckets counted in."""
    buckets = [one["PolicyDocument"] for one in resolved("hybrid").of_type("AWS::S3::BucketPolicy").values()]
    extra = tuple((key.replace("_", ":"), value) for key, value in context.items())
    return is_allowed(AwsCall(action, resource, (TLS, *extra)), policies(group), buckets)


def workgroup(group: str) -> str:
    return f"{ATHENA}:workgroup/{STACK}-{group}"


QUERY = (
    "athena:StartQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:StopQueryExecution",
    "athena:GetWorkGroup",
)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_queries_in_its_own_workgroup(group: str) -> None:
    for action in QUERY:
        assert may(group, action, workgroup(group))
    assert may(group, "lakeformation:GetDataAccess", "*")
    assert may(group, "athena:ListWorkGroups", "*")
    assert may(group, "athena:GetTableMetadata", f"{ATHENA}:datacatalog/AwsDataCatalog")


@pytest.mark.parametrize("group", GROUPS)
def test_and_in_no_other_the_primary_and_the_pipelines_included(group: str) -> None:
    others = [workgroup(other) for other in GROUPS if other != group]
    for place in [*others, f"{ATHENA}:workgroup/primary", f"{ATHENA}:workgroup/{STACK}", f"{workgroup(group)}-2"]:
        for action in QUERY:
            assert not may(group, action, place), (action, place)


@pytest.mark.parametrize("group", GROUPS)
def test_other_workgroups_are_denied_whatever_else_the_role_is_given(group: str) -> None:
    anything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for action in (*QUERY, "athena:CreateWorkGroup", "athena:UpdateWorkGroup", "athena:StartSession"):
        call = AwsCall(action, f"{ATHENA}:workgroup/primary", (TLS,))
        assert is_allowed(call, [anything])
        assert not is_allowed(call, [*policies(group), anything])
    for resource in (f"{LAKE}/raw/source=api-a/ingestion_date=2026-01-01/page=000001.json.gz", LAKE):
        assert not is_allowed(AwsCall("s3:GetObject", resource, (TLS,)), [*policies(group), anything])


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_may_not_change_its_own_limits(group: str) -> None:
    for action in ("athena:UpdateWorkGroup", "athena:DeleteWorkGroup", "athena:CreateNamedQuery"):
        assert not may(group, action, workgroup(group))


def own(group: str, key: str = "q-1.csv") -> str:
    return f"{RESULTS}/analysts/{group}/{key}"


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_has_its_own_results_and_no_others(group: str) -> None:
    for action in ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"):
        assert may(group, action, own(group))
        for other in (*(own(one) for one in GROUPS if one != group), f"{RESULTS}/q-1.csv", f"{RESULTS}/analysts/q.csv"):
            assert not may(group, action, other), (action, other)
    assert may(group, "s3:GetBucketLocation", RESULTS)
    assert not may(group, "s3:DeleteObject", own(group))


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_own_results_and_no_others(group: str) -> None:
    assert may(group, "s3:ListBucket", RESULTS, s3_prefix=f"analysts/{group}/q")
    for prefix in ("", "analysts/", "analysts/other/", f"analysts/{group}-2/"):
        assert not may(group, "s3:ListBucket", RESULTS, s3_prefix=prefix)
    assert not may(group, "s3:ListBucket", RESULTS), "with no prefix it would show what all others have"


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectVersion"])
def test_nothing_on_the_lake(group: str, action: str) -> None:
    for prefix in ("raw", "manifest", "staging", "dead", "control", "analysts/" + group):
        assert not may(group, action, f"{LAKE}/{prefix}/x")


@pytest.mark.parametrize("group", GROUPS)
def test_nor_a_list_of_it(group: str) -> None:
    for prefix in ("raw/", "", f"analysts/{group}/"):
        assert not may(group, "s3:ListBucket", LAKE, s3_prefix=prefix)


@pytest.mark.parametrize(
    ("group", "tables"),
    [
        ("all", {"api_a", "api_a_lines", "api_b_lines", "crawled_api_a", "new"}),
        ("plain", {"api_b_lines"}),
        ("hidden", {"api_a"}),
        ("some", {"api_a"}),
        ("rows", {"api_a"}),
    ],
)
def test_a_group_asks_glue_for_its_own_tables_alone(group: str, tables: set[str]) -> None:
    there = ("api_a", "api_a_lines", "api_b_lines", "crawled_api_a", "new")
    found = {name for name in there if may(group, "glue:GetTable", f"{GLUE}:table/{DATABASE}/{name}")}
    assert found == tables
    assert may(group, "glue:GetDatabase", f"{GLUE}:database/{DATABASE}")
    assert not may(group, "glue:GetTable", f"{GLUE}:table/others/api_a")
    assert not may(group, "glue:GetDatabase", f"{GLUE}:database/others")


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_changes_nothing_and_grants_nothing(group: str) -> None:
    for action in ("glue:UpdateTable", "glue:DeleteTable", "glue:CreateTable"):
        assert not may(group, action, f"{GLUE}:table/{DATABASE}/api_a")
    for action in (
        "lakeformation:GrantPermissions",
        "lakeformation:PutDataLakeSettings",
        "lakeformation:CreateDataCellsFilter",
    ):
        assert not may(group, action, "*")
    assert not may(group, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/x")
    assert not may(group, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/x")


@pytest.mark.parametrize("group", GROUPS)
def test_every_right_is_the_same_where_it_is_enforced(group: str) -> None:
    assert policies(group, "enforce") == policies(group, "hybrid")


def trust(group: str) -> dict[str, Any]:
    (role,) = (
        item["Properties"] for item in resolved("hybrid").resources.values()
        if item["Type"] == "AWS::IAM::Role" and f"The group {group}:" in item["Properties"].get("Description", "")
    )  # fmt: skip
    (statement,) = resolved("hybrid").resolve(role["AssumeRolePolicyDocument"])["Statement"]
    found: dict[str, Any] = statement
    return found


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def test_who_may_be_of_the_account() -> None:
    assert trust("all") == {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": ROOT}


def test_who_may_be_named() -> None:
    named = ["arn:aws:iam::123456789012:role/team/Ben", "arn:aws:iam::123456789012:user/ana"]
    assert trust("plain") == {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"AWS": named}}


@pytest.mark.parametrize(
    ("arn", "may_assume"),
    [
        ("role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_DataAnalyst_0123456789abcdef", True),
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_DataAnalyst_0123456789abcdef", True),
        ("role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_DataAnalystAdmin_0123456789abcdef", False),
        ("role/AWSReservedSSO_DataAnalyst_0123456789abcdef", False),
        ("user/DataAnalyst", False),
    ],
)
def test_who_may_come_from_identity_center(arn: str, may_assume: bool) -> None:
    statement = {key: value for key, value in trust("hidden").items() if key != "Principal"} | {"Resource": "*"}
    assert trust("hidden")["Principal"] == ROOT
    call = AwsCall("sts:AssumeRole", "role", (("aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:{arn}"),))
    assert is_allowed(call, [{"Statement": [statement]}]) is may_assume


def test_who_may_come_by_saml() -> None:
    assert trust("some") == {
        "Action": "sts:AssumeRoleWithSAML",
        "Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::123456789012:saml-provider/Okta"},
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml", "SAML:sub": "ana"}},
    }


class Asked:
    """A client that notes each call as IAM would judge it."""

    def __init__(self, client: Any, calls: list[AwsCall]) -> None:
        self._client, self._calls = client, calls
        client.meta.events.register("before-parameter-build.*.*", self._note)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def _note(self, params: dict[str, Any], model: Any, **told: Any) -> None:
        service = model.service_model.endpoint_prefix
        self._calls += [AwsCall(f"{service}:{model.name}", resource) for resource in _resources(service, params)]


def _resources(service: str, params: dict[str, Any]) -> Iterator[str]:
    """What a call is judged by: Lake Formation knows no resources, Glue each level of the catalog."""
    if service == "lakeformation":
        yield "*"
        return
    yield f"{GLUE}:catalog"
    yield f"{GLUE}:database/{params.get('Name') or params['DatabaseName']}"
    if "DatabaseName" in params:
        yield f"{GLUE}:table/{params['DatabaseName']}/any"


def keeper_rights() -> list[dict[str, Any]]:
    (policy,) = resolved("enforce").of_type("AWS::IAM::Policy").values()
    assert policy["Roles"] == [f"import {ADMINISTRATORS}-KeeperRoleName"]
    return [policy["PolicyDocument"]]


def test_every_call_of_the_keeper_is_allowed_and_no_other_right_is_unused() -> None:
    calls: list[AwsCall] = []
    with moto_server() as server:
        catalog = FakeCatalog(server, DATABASE)
        catalog.make("api_a")
        keeper = AccessReconciler(Asked(catalog.lake, calls), Asked(catalog.glue, calls))
        hybrid = Wanted(DATABASE, "hybrid", [OptIn("arn:ana", ["api_a"])])
        keeper.apply(hybrid)
        keeper.apply(Wanted(DATABASE, "enforce"), hybrid.opt_ins)
        keeper.revert(Wanted(DATABASE, "enforce"))
    assert [call for call in calls if not is_allowed(call, keeper_rights())] == []
    granted = {action for statement in keeper_rights()[0]["Statement"] for action in _listed(statement["Action"])}
    # who grants on a table is asked whether they may look it up
    unsaid = {"glue:GetTable", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert granted - {call.action for call in calls} == unsaid


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lakeformation:PutDataLakeSettings", "*"),
        ("lakeformation:RegisterResource", "*"),
        ("lakeformation:GetDataAccess", "*"),
        ("glue:UpdateDatabase", f"{GLUE}:database/others"),
        ("glue:DeleteDatabase", f"{GLUE}:database/{DATABASE}"),
        ("glue:UpdateTable", f"{GLUE}:table/{DATABASE}/api_a"),
        ("glue:GetTables", f"{GLUE}:table/others/t"),
        ("s3:GetObject", f"{LAKE}/raw/x"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/x"),
    ],
)
def test_the_keeper_may_do_nothing_else(action: str, resource: str) -> None:
    assert not is_allowed(AwsCall(action, resource), keeper_rights())


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
