"""What each role may do, and nothing else: one policy a role, inline, so that it is there before its function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from option_a.ingest.config import Source
from option_a.ingest.lake import CONTROL, DEAD, MANIFEST, RAW, STAGING
from option_a.ingest.secrets import reference
from option_a.names import queue_prefix

LAMBDA = "lambda.amazonaws.com"
_ANY_SUFFIX = "-??????"
"""What Secrets Manager adds to a secret's name in its ARN: six characters, so that no longer name fits as well."""


def role(
    scope: Construct, id: str, *, service: str, description: str, statements: Sequence[iam.PolicyStatement]
) -> iam.IRole:
    """A role with exactly these statements: what other constructs would grant it is left out."""
    made = iam.Role(
        scope,
        id,
        assumed_by=iam.ServicePrincipal(service),
        description=description,
        inline_policies={"Least": iam.PolicyDocument(statements=list(statements))},
    )
    return made.without_policy_updates()


def planner(bucket: s3.IBucket, log: logs.ILogGroup, stack: str) -> list[iam.PolicyStatement]:
    """The manifests to read, the queues to fill."""
    return [
        _objects(bucket, ["s3:GetObject"], f"{MANIFEST}/*"),
        listing(bucket, MANIFEST),
        _queues(["sqs:SendMessage"], stack),
        _own_log(log),
    ]


def worker(bucket: s3.IBucket, log: logs.ILogGroup, stack: str, sources: Iterable[Source]) -> list[iam.PolicyStatement]:
    """Pages and manifests to write, queues to work through, and the secrets that sources name."""
    everywhere = [f"{prefix}/*" for prefix in (RAW, MANIFEST, STAGING, DEAD, CONTROL)]
    return [
        _objects(bucket, ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], *everywhere),
        _objects(bucket, ["s3:DeleteObject"], f"{RAW}/*", f"{STAGING}/*", f"{MANIFEST}/*/segment-*"),
        listing(bucket, RAW, MANIFEST, STAGING, CONTROL),
        _queues(
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                "sqs:SendMessage",
            ],
            stack,
        ),
        *_secrets(sources),
        _own_log(log),
    ]


def freshness(bucket: s3.IBucket, log: logs.ILogGroup) -> list[iam.PolicyStatement]:
    """The manifests to read."""
    return [_objects(bucket, ["s3:GetObject"], f"{MANIFEST}/*"), listing(bucket, MANIFEST), _own_log(log)]


def listing(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """To list below prefixes. S3 asks for it on a read too, with no prefix maybe, lest what is missing be a 403."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLikeIfExists": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}},
    )


def secret_names(sources: Iterable[Source]) -> list[str]:
    """The secrets of Secrets Manager that sources name."""
    wanted = [reference(text) for source in sources for text in source.secrets]
    return sorted({one.name for one in wanted if one.scheme == "aws-secret"})


def _objects(bucket: s3.IBucket, actions: list[str], *keys: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=[bucket.arn_for_objects(key) for key in keys])


def _queues(actions: list[str], stack: str) -> iam.PolicyStatement:
    # by prefix: a policy that named 400 queues would be longer than a role may hold
    return iam.PolicyStatement(actions=actions, resources=[arn("sqs", f"{queue_prefix(stack)}*")])


def _secrets(sources: Iterable[Source]) -> list[iam.PolicyStatement]:
    names = secret_names(sources)
    resources = [
        name if name.startswith("arn:") else arn("secretsmanager", f"secret:{name}{_ANY_SUFFIX}") for name in names
    ]
    return [iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=resources)] if names else []


def _own_log(log: logs.ILogGroup) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn])


def arn(service: str, resource: str) -> str:
    """The ARN of something in the stack's own account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
