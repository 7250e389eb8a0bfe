"""The roles: what they hold, read as it stands. What it allows and denies is proved in tests/acceptance."""

from __future__ import annotations

from functools import cache

import pytest

from tests.stack.assembly import Assembly, Resource, default, flat, synthesize

URL = 'url = "https://api.example.com"'
SECRETS = f"""
[sources.a]
{URL}
auth = {{ style = "bearer", token = "aws-secret:team/a#token" }}
[sources.b]
{URL}
auth = {{ style = "api_key", key = "aws-secret:team/a#key" }}
[sources.c]
{URL}
auth = {{ style = "bearer", token = "aws-secret:arn:aws:secretsmanager:eu-west-1:123456789012:secret:c-AbCdEf" }}
"""
LAKE = "${LakeBucketB1D32E10.Arn}"
ACCOUNT = "${AWS::Region}:${AWS::AccountId}"
QUEUES = f"arn:${{AWS::Partition}}:sqs:{ACCOUNT}:OptionAIngestionDemoPy__*"


@cache
def secretive() -> Assembly:
    return synthesize(SECRETS)


def rights(assembly: Assembly, function: str) -> dict[str, set[str]]:
    """What a function's role allows: an action to its resources; `own log` is the function's log group."""
    used = flat(assembly.all("Lambda::Function")[function])
    role = assembly.all("IAM::Role")[used["Role"].removeprefix("${").removesuffix(".Arn}")]
    own = used["LoggingConfig"]["LogGroup"].replace("}", ".Arn}")
    found: dict[str, set[str]] = {}
    for statement in statements(role):
        resources = {"own log" if one == own else one for one in listed(statement["Resource"])}
        for action in listed(statement["Action"]):
            found.setdefault(action, set()).update(resources)
    return found


def statements(role: Resource) -> list[Resource]:
    found: list[Resource] = [one for policy in flat(role["Policies"]) for one in policy["PolicyDocument"]["Statement"]]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def below(*keys: str) -> set[str]:
    return {f"{LAKE}/{key}" for key in keys}


LOG = {"logs:CreateLogStream": {"own log"}, "logs:PutLogEvents": {"own log"}}


def test_the_planner_reads_ledgers_and_fills_queues() -> None:
    assert rights(default(), "PlannerFn") == {
        "s3:GetObject": below("manifest/*"),
        "s3:ListBucket": {LAKE},
        "sqs:SendMessage": {QUEUES},
        **LOG,
    }


def test_the_freshness_check_reads_ledgers() -> None:
    assert rights(default(), "FreshnessFn") == {"s3:GetObject": below("manifest/*"), "s3:ListBucket": {LAKE}, **LOG}


def test_the_worker_writes_the_lake_and_works_off_the_queues() -> None:
    everywhere = below("raw/*", "manifest/*", "staging/*", "dead/*", "control/*")
    queue_actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "SendMessage")
    assert rights(default(), "WorkerFn") == {
        "s3:GetObject": everywhere,
        "s3:PutObject": everywhere,
        "s3:AbortMultipartUpload": everywhere,
        "s3:DeleteObject": below("raw/*", "staging/*", "manifest/*/segment-*"),
        "s3:ListBucket": {LAKE},
        **{f"sqs:{action}": {QUEUES} for action in queue_actions},
        **LOG,
    }


@pytest.mark.parametrize(
    ("function", "prefixes"),
    [
        ("PlannerFn", ["manifest/*"]),
        ("FreshnessFn", ["manifest/*"]),
        ("WorkerFn", ["raw/*", "manifest/*", "staging/*", "control/*"]),
    ],
)
def test_a_listing_is_of_prefixes(function: str, prefixes: list[str]) -> None:
    """And they hold whatever is read and may be missing: S3 answers 403 for a missing key that may not be listed."""
    role = default().all("Lambda::Function")[function]["Role"]["Fn::GetAtt"][0]
    (listing,) = [one for one in statements(default().all("IAM::Role")[role]) if one["Action"] == "s3:ListBucket"]
    assert listing["Condition"] == {"StringLikeIfExists": {"s3:prefix": prefixes}}


def test_the_worker_may_read_exactly_the_secrets_that_sources_name() -> None:
    assert rights(secretive(), "WorkerFn")["secretsmanager:GetSecretValue"] == {
        f"arn:${{AWS::Partition}}:secretsmanager:{ACCOUNT}:secret:team/a-??????",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:c-AbCdEf",
    }
    assert "secretsmanager:GetSecretValue" not in rights(secretive(), "PlannerFn")
    assert "secretsmanager:GetSecretValue" not in rights(default(), "WorkerFn")


def test_the_crawler_reads_pages_and_writes_its_own_tables() -> None:
    role = flat(default().one("Glue::Crawler")["Role"]).removeprefix("${").removesuffix(".Arn}")
    held = statements(default().all("IAM::Role")[role])
    objects = [one["Resource"] for one in held if one["Action"] == "s3:GetObject"]
    assert objects == [f"{LAKE}/raw/*"]
    writing = [one["Resource"] for one in held if "glue:CreateTable" in listed(one["Action"])]
    assert [one.rpartition(":")[2] for one in writing[0]] == [
        "catalog",
        "database/optionaingestiondemopy",
        "table/optionaingestiondemopy/crawled_*",
    ]
    assert [action for one in held for action in listed(one["Action"]) if "Delete" in action] == []


def test_no_role_has_a_policy_that_others_write() -> None:
    assert default().all("IAM::Policy") == default().all("IAM::ManagedPolicy") == {}
    for role in default().all("IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        assert len(role["Policies"]) == 1


def test_no_statement_allows_every_action_or_is_of_every_resource() -> None:
    for assembly in (default(), secretive()):
        for role in assembly.all("IAM::Role").values():
            for statement in statements(role):
                assert statement["Effect"] == "Allow"
                assert [action for action in listed(statement["Action"]) if "*" in action] == []
                assert "*" not in listed(statement["Resource"])
