"""The evaluator that judges the stack's policies, judged itself by cases of AWS's documentation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.aws.iam import AwsCall, is_allowed

BUCKET = "arn:aws:s3:::lake"
GET = AwsCall("s3:GetObject", f"{BUCKET}/raw/a")


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return document({"Action": action, "Resource": resource, **more})


def test_nothing_is_allowed_by_nobody() -> None:
    assert not is_allowed(GET, [])


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("s3:GetObject", f"{BUCKET}/raw/a", True),
        ("s3:getobject", f"{BUCKET}/raw/a", True),
        ("s3:Get*", f"{BUCKET}/raw/*", True),
        ("*", "*", True),
        ("s3:GetObjec?", f"{BUCKET}/???/a", True),
        ("s3:GetObject", f"{BUCKET}/RAW/a", False),
        ("s3:GetObject", BUCKET, False),
        ("s3:GetObject", f"{BUCKET}/raw/", False),
        ("s3:GetObjectVersion", f"{BUCKET}/raw/a", False),
        ("s3:Get", f"{BUCKET}/raw/a", False),
        (["s3:PutObject", "s3:GetObject"], [f"{BUCKET}/staging/*", f"{BUCKET}/raw/*"], True),
        ("s3:GetObject", f"{BUCKET}.raw.a", False),
    ],
)
def test_actions_ignore_case_resources_do_not_and_wildcards_reach_across_slashes(
    action: Any, resource: Any, *, expected: bool
) -> None:
    assert is_allowed(GET, [allow(action, resource)]) is expected


def test_a_deny_wins_wherever_it_stands() -> None:
    everything = allow("*", "*")
    deny = document({"Effect": "Deny", "Action": "s3:*", "Resource": f"{BUCKET}/raw/*"})
    assert not is_allowed(GET, [everything, deny])
    assert not is_allowed(GET, [everything], [deny])
    assert is_allowed(AwsCall("s3:GetObject", f"{BUCKET}/other"), [everything, deny])


def test_a_resources_policy_alone_may_allow() -> None:
    assert is_allowed(GET, [], [allow("s3:GetObject", f"{BUCKET}/*", Principal="*")])


def test_not_action_and_not_resource() -> None:
    assert not is_allowed(GET, [document({"NotAction": "s3:Get*", "Resource": "*"})])
    assert is_allowed(GET, [document({"NotAction": "sqs:*", "Resource": "*"})])
    assert not is_allowed(GET, [document({"Action": "*", "NotResource": f"{BUCKET}/raw/*"})])


def with_context(**context: str) -> AwsCall:
    return AwsCall("s3:ListBucket", BUCKET, tuple((key.replace("_", ":"), value) for key, value in context.items()))


@pytest.mark.parametrize(
    ("condition", "call", "expected"),
    [
        ({"StringLike": {"s3:prefix": ["raw/*", "manifest/*"]}}, with_context(s3_prefix="raw/source=a/"), True),
        ({"StringLike": {"s3:prefix": "raw/*"}}, with_context(s3_prefix="raw"), False),
        ({"StringLike": {"s3:prefix": "raw/*"}}, with_context(), False),
        ({"StringLikeIfExists": {"s3:prefix": "raw/*"}}, with_context(), True),
        ({"StringEquals": {"s3:prefix": "RAW"}}, with_context(s3_prefix="raw"), False),
        ({"StringEquals": {"S3:Prefix": "raw"}}, with_context(s3_prefix="raw"), True),
        ({"StringNotEquals": {"s3:prefix": "raw"}}, with_context(), True),
        ({"StringNotEquals": {"s3:prefix": ["raw", "x"]}}, with_context(s3_prefix="x"), False),
        ({"Bool": {"aws:SecureTransport": "false"}}, with_context(aws_SecureTransport="true"), False),
        ({"Bool": {"aws:SecureTransport": "true"}}, with_context(aws_SecureTransport="true"), True),
        ({"Bool": {"aws:SecureTransport": "true"}}, with_context(), False),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:*:x"}}, with_context(aws_SourceArn="arn:aws:sns:a:b:x"), True),
        ({"Null": {"s3:prefix": "true"}}, with_context(), True),
        ({"Null": {"s3:prefix": "false"}}, with_context(), False),
        ({"StringEquals": {"s3:prefix": "r"}, "Bool": {"aws:Secure": "true"}}, with_context(s3_prefix="r"), False),
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, with_context(s3_TlsVersion="1.1"), True),
    ],
)  # fmt: skip
def test_conditions(condition: dict[str, Any], call: AwsCall, *, expected: bool) -> None:
    assert is_allowed(call, [allow("s3:ListBucket", BUCKET, Condition=condition)]) is expected


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "*", "Resource": "*", "Condition": {"IpAddress": {"s3:prefix": "10.0.0.0/8"}}},
        {"Action": "*", "Resource": "arn:aws:s3:::${aws:username}"},
        {"Action": "*"},
        {"Action": "*", "Resource": "*", "NotPrincipal": "*"},
    ],
)
def test_what_it_does_not_know_is_an_error_and_never_an_allow(statement: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        is_allowed(with_context(s3_prefix="x"), [document(statement)])
