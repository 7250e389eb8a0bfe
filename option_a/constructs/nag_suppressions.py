"""What cdk-nag would have otherwise, and why it is as it is: eight entries, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from option_a.constructs.catalog import CRAWLED, Catalog
from option_a.constructs.functions import Functions
from option_a.constructs.lake import Lake
from option_a.ingest.lake import CONTROL, DEAD, MANIFEST, RAW, STAGING
from option_a.names import queue_prefix


class Entry(NamedTuple):
    """One rule that is acknowledged, where, and why; `findings` tells which of the rule's findings, '' all."""

    rule: str
    places: Sequence[IConstruct]
    findings: Sequence[str]
    evidence: str


class NagSuppressions(Construct):
    """Acknowledges what cdk-nag's AwsSolutions find in the stack."""

    def __init__(self, scope: Construct, id: str, *, lake: Lake, functions: Functions, catalog: Catalog) -> None:
        super().__init__(scope, id)
        acknowledge(entries(lake, functions, catalog))


def acknowledge(entries: Iterable[Entry]) -> None:
    """Tell CDK of each entry, at each of its places."""
    for entry in entries:
        ids = [f"{entry.rule}[{found}]" if found else entry.rule for found in entry.findings]
        for place in entry.places:
            Validations.of(place).acknowledge(*(Acknowledgment(id=one, reason=entry.evidence) for one in ids))


def entries(lake: Lake, functions: Functions, catalog: Catalog) -> list[Entry]:
    """The entries; a test counts them."""
    return [*_rules(lake, functions, catalog), *_wildcards(lake, functions, catalog)]


def _rules(lake: Lake, functions: Functions, catalog: Catalog) -> list[Entry]:
    return [
        Entry(
            "AwsSolutions-S1",
            [lake],
            [""],
            "Access logs would be a third bucket that grows for ever. The manifests are the record of every write, "
            "with checksums that `option-a verify` compares; versions keep what was overwritten. CloudTrail's data "
            "events say who read what, where that is asked for.",
        ),
        Entry(
            "AwsSolutions-SQS3",
            [functions.dead],
            [""],
            "It is the dead-letter queue: of the schedule's target and of the planner's failures, which are not told "
            "by a redrive policy. An alarm stands on it.",
        ),
        Entry(
            "AwsSolutions-L1",
            [functions],
            [""],
            "Python 3.13 is supported until 2029 and is what the wheels are pinned and checked for, hash by hash. A "
            "newer one comes with a release of Option A, not with a synthesis.",
        ),
        Entry(
            "AwsSolutions-GL1",
            [catalog],
            [""],
            "The crawler's log holds names of tables and counts, no records. A security configuration would need a KMS "
            "key, and is of the account rather than of one stack.",
        ),
    ]


def _wildcards(lake: Lake, functions: Functions, catalog: Catalog) -> list[Entry]:
    """Wildcards in what a role may reach."""
    return [
        Entry(
            "AwsSolutions-IAM5",
            [functions, catalog],
            [below(lake.bucket, key) for key in _KEYS],
            "Objects below the prefixes that the function works on: keys are made of source, date and page, so they "
            "cannot be named ahead. Tests evaluate the policies: other prefixes and other buckets are denied.",
        ),
        Entry(
            "AwsSolutions-IAM5",
            [functions],
            [f"Resource::{account('sqs')}:{queue_prefix(Stack.of(lake).stack_name)}*"],
            "The stack's own queues, all of which begin with its name: a policy that named 400 of them would be longer "
            "than a role may hold. Tests evaluate it: other queues are denied.",
        ),
        Entry(
            "AwsSolutions-IAM5",
            [catalog],
            [f"Resource::{account('glue')}:table/{catalog.name}/{name}" for name in ("*", f"{CRAWLED}*")],
            f"The crawler reads the stack's own database, and writes the tables that begin with {CRAWLED} alone: which "
            "ones there will be is what it finds out.",
        ),
        Entry(
            "AwsSolutions-IAM5",
            [catalog],
            [f"Resource::{account('logs')}:log-group:/aws-glue/crawlers:*"],
            "Glue names the streams of its log group itself; the group is the one that it writes to.",
        ),
    ]


_KEYS = [*(f"{prefix}/*" for prefix in (RAW, MANIFEST, STAGING, DEAD, CONTROL)), f"{MANIFEST}/*/segment-*"]


def below(bucket: s3.Bucket, key: str) -> str:
    """How cdk-nag tells of objects of a bucket."""
    stack = Stack.of(bucket)
    child = bucket.node.default_child
    assert isinstance(child, s3.CfnBucket)
    return f"Resource::<{stack.get_logical_id(child)}.Arn>/{key}"


def account(service: str) -> str:
    """How cdk-nag tells of what is in the stack's own account and region."""
    return f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>"
