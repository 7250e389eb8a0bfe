"""The default stack as a text that a person can read. `python -m tests.stack.outline` writes it anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.stack.node import NODE

FILE = Path(__file__).with_name("outline.txt")
_KEYS: dict[str, tuple[str, ...]] = {
    "Athena::NamedQuery": ("Name", "QueryString"),
    "Athena::WorkGroup": ("Name", "WorkGroupConfiguration"),
    "CloudWatch::Alarm": ("MetricName", "Metrics", "Threshold", "Period", "TreatMissingData", "AlarmDescription"),
    "CloudWatch::Dashboard": ("DashboardName",),
    "Events::Rule": ("ScheduleExpression", "Targets"),
    "Glue::Crawler": ("Targets", "Schedule", "TablePrefix", "SchemaChangePolicy"),
    "Glue::Database": ("DatabaseInput",),
    "Glue::Table": ("TableInput",),
    "IAM::Role": ("AssumeRolePolicyDocument", "Policies"),
    "Lambda::EventInvokeConfig": ("FunctionName", "DestinationConfig", "MaximumRetryAttempts"),
    "Lambda::EventSourceMapping": ("EventSourceArn", "BatchSize", "FunctionResponseTypes", "ScalingConfig"),
    "Lambda::Function": (
        "Handler",
        "Runtime",
        "Architectures",
        "MemorySize",
        "Timeout",
        "RecursiveLoop",
        "Environment",
    ),
    "Lambda::Permission": ("FunctionName", "Principal", "SourceArn"),
    "Logs::LogGroup": ("RetentionInDays",),
    "S3::Bucket": ("VersioningConfiguration", "LifecycleConfiguration", "BucketEncryption"),
    "S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    "SNS::Topic": ("DisplayName",),
    "SNS::TopicPolicy": ("PolicyDocument",),
    "SQS::Queue": ("QueueName", "VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy", "SqsManagedSseEnabled"),
    "SQS::QueuePolicy": ("Queues", "PolicyDocument"),
}


def outline(template: dict[str, Any]) -> str:
    """Each resource with what matters of it, sorted; then the outputs."""
    found = sorted((one["Type"].removeprefix("AWS::"), name, one) for name, one in template["Resources"].items())
    lines = [line for kind, name, one in found for line in _resource(kind, name, one)]
    outputs = [f"  {name} = {_text(one['Value'])}" for name, one in sorted(template["Outputs"].items())]
    return "\n".join([*lines, "Outputs", *outputs]) + "\n"


def _resource(kind: str, name: str, resource: dict[str, Any]) -> Iterator[str]:
    kept = " (stays)" if resource.get("DeletionPolicy") == "Retain" else ""
    yield f"{kind} {name}{kept}"
    properties = resource.get("Properties", {})
    for key in _KEYS[kind]:
        if key in properties:
            yield from _lines("  ", key, properties[key])


def _lines(indent: str, key: str, value: Any) -> Iterator[str]:
    """One line where it fits; the parts below one another where it does not."""
    told = _text(value)
    if len(told) <= 110 or not isinstance(value, dict | list) or _is_text(value):
        yield f"{indent}{key} = {told}"
        return
    yield f"{indent}{key}"
    parts = value.items() if isinstance(value, dict) else ((f"{number}", one) for number, one in enumerate(value))
    for name, part in parts:
        yield from _lines(indent + "  ", name, part)


def _is_text(value: Any) -> bool:
    from tests.stack.assembly import flat

    return isinstance(flat(value), str)


def _text(value: Any) -> str:
    from tests.stack.assembly import flat

    flattened = flat(value)
    return flattened.replace("\n", " ") if isinstance(flattened, str) else json.dumps(flattened, ensure_ascii=True)


def made() -> str:
    """The outline of what is synthesized now."""
    from tests.stack.assembly import default

    return outline(default().root)


if __name__ == "__main__":
    os.environ["JSII_NODE"] = NODE  # before anything imports the CDK
    FILE.write_text(made(), "utf-8")
