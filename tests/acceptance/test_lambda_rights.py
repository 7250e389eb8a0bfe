"""Every call that the functions make, recorded from the wire, is allowed by their synthesized roles; others are not."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from option_a.ingest.lake.keys import segment_key
from option_a.ingest.partition import Partition
from tests.conftest import Proof
from tests.stack.node import NODE
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.aws.call_recorder import AwsCallRecorder
from tests.support.aws.cfn_template import CfnTemplate
from tests.support.aws.function_asset import ROOT, build_asset
from tests.support.aws.iam import AwsCall, as_list, is_allowed
from tests.support.aws.lambda_stack import DAY, STACK, LambdaStack, SlowApi
from tests.support.aws.moto import ACCOUNT, REGION, moto_server, pass_sqs_time

SOURCES = """
[sources.api-a]
url = "{url}/api-a"
date_param = "date"
allow_private = true
auth = {{ style = "bearer", token = "aws-secret:team/api-a#token" }}

[sources.api-b]
url = "{url}/down"
date_param = "date"
allow_private = true
"""
FUNCTIONS = ("PlannerFn", "WorkerFn", "FreshnessFn")
TLS = ("aws:SecureTransport", "true")


class Night:
    """What was called by each function, and the template that should allow it."""

    def __init__(self, template: CfnTemplate) -> None:
        self.template = template
        self.calls: dict[str, list[AwsCall]] = {name: [] for name in FUNCTIONS}
        self.bucket_policies = [item["PolicyDocument"] for item in template.of_type("AWS::S3::BucketPolicy").values()]

    def allows(self, function: str, call: AwsCall) -> bool:
        return is_allowed(call, self.template.policies_of(function), self.bucket_policies)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("rights")
    with ExitStack() as running:
        api = running.enter_context(Server(Api()))
        text = SOURCES.format(url=api.url)
        (folder / "sources.toml").write_text(text)
        made = Night(synthesize(folder, folder / "sources.toml"))
        server = running.enter_context(moto_server())
        server.client("secretsmanager").create_secret(Name="team/api-a", SecretString='{"token": "t"}')
        stack = LambdaStack(
            server, build_asset(folder / "asset", text), runtime, bucket=made.template.outputs()["LakeBucket"],
            sources=("api-a", "api-b"),
        )  # fmt: skip
        recorders = {name: running.enter_context(AwsCallRecorder(server).running()) for name in FUNCTIONS}
        a_night_and_its_mishaps(stack, recorders)
        made.calls = {name: recorder.calls for name, recorder in recorders.items()}
        yield made


class Api(SlowApi):
    """The mock data of api-a, for who has the token; the other endpoint is down."""

    def __call__(self, exchange: Exchange) -> None:
        if exchange.headers.get("authorization") == "Bearer t":
            super().__call__(exchange)
        elif exchange.target.startswith("/down"):
            exchange.send(reply(b"", 503, {"Retry-After": "600"}))
        else:
            exchange.send(reply(b"no", 401))


def a_night_and_its_mishaps(stack: LambdaStack, recorders: Mapping[str, AwsCallRecorder]) -> None:
    """Loads, a wait, a poison message, a body that is none, too little time, a re-load with its promotion."""
    envs = {name: recorder.aws.env for name, recorder in recorders.items()}
    old = segment_key(Partition("api-a", dt.date.fromisoformat(DAY)), 0, 1)
    with (
        stack.function("planner", **envs["PlannerFn"]) as planner,
        stack.function("worker", **envs["WorkerFn"]) as worker,
        stack.function("freshness", **envs["FreshnessFn"]) as freshness,
    ):
        planner.invoke({"date": DAY})
        planner.invoke({})
        stack.queues.client.send_message(QueueUrl=stack.queues.url("api-b"), MessageBody="{poison")
        stack.drain(worker)
        stack.server.client("s3").put_object(Bucket=stack.bucket, Key=old, Body=b"[]")
        stray = f"raw/source=api-a/ingestion_date={DAY}/page=000777.json.gz"
        stack.server.client("s3").put_object(Bucket=stack.bucket, Key=stray, Body=b"stray")
        planner.invoke({"date": DAY, "fresh": True, "sources": ["api-a"]})
        stack.drain(worker, seconds=900)
        planner.invoke({"from": DAY, "to": DAY, "only": "failed"})
        pass_sqs_time(STACK, 900)
        stack.server.client("secretsmanager").put_secret_value(SecretId="team/api-a", SecretString='{"token": "old"}')
        planner.invoke({"date": "2024-05-02", "sources": ["api-a"]})
        with stack.function("worker", **envs["WorkerFn"]) as another:
            stack.drain(another)
        freshness.invoke({})
    assert stack.manifest("api-a")["state"] == "complete"
    assert stack.manifest("api-a", "2024-05-02")["state"] == "failed"
    assert {letter.cause.kind for letter in stack.queues.dead_letters()} == {"receives", "http"}


def synthesize(folder: Path, sources: Path) -> CfnTemplate:
    """The template of these sources, with no network."""
    env = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out"), "JSII_NODE": NODE}
    subprocess.run(
        [sys.executable, "app.py", "-c", "bundle=false", "-c", f"sources={sources}"],
        cwd=ROOT, env=env, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return CfnTemplate(json.loads((folder / "cdk.out" / f"{STACK}.template.json").read_text()), STACK)


@pytest.mark.bar(13)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_call_that_a_function_makes_is_allowed_by_its_role(night: Night, function: str, proof: Proof) -> None:
    calls = set(night.calls[function])
    assert calls
    assert [str(call) for call in sorted(calls, key=str) if not night.allows(function, call)] == []
    proof.figure("AWS calls judged, each allowed by its role", len(calls), least=1)


def test_the_calls_are_those_that_the_design_names(night: Night) -> None:
    """So that a way of the pipeline that is not walked above is missed here."""
    assert {name: {call.action for call in calls} for name, calls in night.calls.items()} == {
        "PlannerFn": {"s3:GetObject", "sqs:SendMessage"},
        "WorkerFn": {
            "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "sqs:SendMessage", "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility", "secretsmanager:GetSecretValue",
        },
        "FreshnessFn": {"s3:GetObject"},
    }  # fmt: skip
    rooms = {call.resource.split("/")[1] for call in night.calls["WorkerFn"] if call.action == "s3:PutObject"}
    assert rooms == {"raw", "manifest", "staging", "dead", "control"}
    deleted = {call.resource.split("/")[1] for call in night.calls["WorkerFn"] if call.action == "s3:DeleteObject"}
    assert deleted == {"raw", "manifest", "staging"}


def foreign(bucket: str) -> list[AwsCall]:
    """What no function may do."""
    lake, queue = f"arn:aws:s3:::{bucket}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}__api-a"
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
    manifest = f"manifest/source=api-a/ingestion_date={DAY}/manifest.json"
    calls = {
        lake: ["s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "s3:ListBucketVersions"],
        f"{lake}/raw/x": ["s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:BypassGovernanceRetention"],
        f"{lake}/{manifest}": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        f"{lake}/dead/x": ["s3:DeleteObject"],
        f"{lake}/control/x": ["s3:DeleteObject"],
        f"{lake}/curated/x": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        f"{lake}/other/x": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        f"{lake}-other/raw/x": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        queue: ["sqs:DeleteQueue", "sqs:PurgeQueue", "sqs:SetQueueAttributes", "sqs:AddPermission"],
        queue.replace(STACK, "Another"): ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"],
        f"{secret}:team/api-b-AbCdEf": ["secretsmanager:GetSecretValue"],
        f"{secret}:team/api-a-other-AbCdEf": ["secretsmanager:GetSecretValue"],
        f"{secret}:team/api-a-AbCdEf": ["secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"],
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:WorkerFn": ["lambda:InvokeFunction", "lambda:UpdateFunctionCode"],
        f"arn:aws:iam::{ACCOUNT}:role/x": ["iam:PassRole", "sts:AssumeRole"],
        f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog": ["glue:GetTables", "glue:DeleteTable"],
        "*": ["kms:Decrypt", "ec2:DescribeInstances", "dynamodb:GetItem"],
    }
    listings = [AwsCall("s3:ListBucket", lake, (TLS, ("s3:prefix", prefix))) for prefix in ("curated/", "", "ra")]
    plain = [AwsCall("s3:GetObject", f"{lake}/{manifest}", (("aws:SecureTransport", "false"),))]
    return [AwsCall(action, arn, (TLS,)) for arn, actions in calls.items() for action in actions] + listings + plain


@pytest.mark.bar(13)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_foreign_is_denied(night: Night, function: str, proof: Proof) -> None:
    calls = foreign(night.template.outputs()["LakeBucket"])
    assert [str(call) for call in calls if night.allows(function, call)] == []
    proof.figure("foreign AWS calls, each denied", len(calls), least=1)


def test_planner_and_freshness_may_not_do_what_is_the_workers(night: Night) -> None:
    for call in set(night.calls["WorkerFn"]):
        writes = call.action not in ("s3:GetObject", "s3:ListBucket", "sqs:SendMessage")
        if writes or "/raw/" in call.resource:
            assert not night.allows("PlannerFn", call), str(call)
        if writes or call.action.startswith("sqs:"):
            assert not night.allows("FreshnessFn", call), str(call)


def test_no_statement_allows_every_action_and_each_wildcard_is_one_of_a_known_kind(night: Night) -> None:
    def wild(statement: Mapping[str, Any]) -> list[str]:
        return [text for text in as_list(statement["Resource"]) if "*" in text or "?" in text]

    for _, statement in night.template.statements():
        assert "NotAction" not in statement
        assert not [action for action in as_list(statement["Action"]) if action in ("*", "s3:*", "sqs:*")]
        for text in wild(statement):
            assert any(text.endswith(end) for end in REASONS), f"{statement['Action']} on {text}"


REASONS = {
    "/*": "the keys of a room of the lake",
    "/manifest/*/segment-*": "the segments of a ledger, and no manifest",
    f":{STACK}__*": "400 queues by their prefix: their ARNs would not fit a policy",
    "-??????": "what Secrets Manager adds to a secret's name",
    ":*": "the streams of a log group",
    "/crawled_*": "the tables that the crawler makes, and no other",
}
"""The only wildcards in resources, and why each is there."""
