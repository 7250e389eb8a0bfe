"""What a deployed stack says of itself: its outputs, and what its worker was deployed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from option_a.aws.stack.session import aws_errors, code
from option_a.ingest.errors import ConfigError

_DEPLOY = "cdk deploy creates it; the account and the region are those of AWS_PROFILE and AWS_REGION"


class Outputs(msgspec.Struct, frozen=True, rename="pascal"):
    """The outputs that the command line goes by."""

    lake_bucket: str
    glue_database: str
    athena_workgroup: str
    worker_function: str
    queue_url_base: str


def read_outputs(client: Any, stack: str) -> Outputs:
    """The outputs of a stack, by CloudFormation. Raises ConfigError where it is none of ours, or AwsError."""
    with aws_errors(f"look at the stack {stack}"):
        try:
            (found,) = client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if code(error) == "ValidationError":
                raise ConfigError(f"there is no stack {stack!r} in {client.meta.region_name}", hint=_DEPLOY) from None
            raise
    values = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    try:
        return msgspec.convert(values, Outputs)
    except msgspec.ValidationError as error:
        what = f"the stack {stack} ({found['StackStatus']}) is not one of Option A's, or not deployed whole: {error}"
        raise ConfigError(what, hint="cdk deploy repairs it") from None


def worker_environment(client: Any, function: str) -> Mapping[str, str]:
    """The environment variables of the worker. Raises AwsError."""
    with aws_errors(f"look at the worker {function}"):
        answer = client.get_function_configuration(FunctionName=function)
    found: Mapping[str, str] = answer.get("Environment", {}).get("Variables", {})
    return found
