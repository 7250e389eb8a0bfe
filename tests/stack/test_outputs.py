"""The outputs: what the command line and the README go by."""

from __future__ import annotations

import msgspec

from option_a.aws.stack.outputs import Outputs
from tests.stack.assembly import STACK, Resource, default, flat

NAMED = {
    "GlueDatabase": "optionaingestiondemopy",
    "AthenaWorkgroup": STACK,
    "QueuePrefix": f"{STACK}__",
    "QueueUrlBase": "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/",
    "PlannerFunction": "${PlannerFn}",
    "WorkerFunction": "${WorkerFn}",
    "FreshnessFunction": "${FreshnessFn}",
}
REFERRED = {
    "LakeBucket": "AWS::S3::Bucket",
    "AthenaResultsBucket": "AWS::S3::Bucket",
    "Crawler": "AWS::Glue::Crawler",
    "AlarmTopic": "AWS::SNS::Topic",
    "Dashboard": "AWS::CloudWatch::Dashboard",
}


def outputs() -> dict[str, str]:
    found: dict[str, Resource] = default().root["Outputs"]
    return {name: flat(output["Value"]) for name, output in found.items()}


def test_they_have_exactly_these_names() -> None:
    assert outputs().keys() == NAMED.keys() | REFERRED.keys()
    assert [name for name, one in default().root["Outputs"].items() if len(one["Description"]) < 15] == []


def test_they_tell_what_things_are_called() -> None:
    assert {name: value for name, value in outputs().items() if name in NAMED} == NAMED
    for name, kind in REFERRED.items():
        id = outputs()[name].removeprefix("${").removesuffix("}")
        assert default().root["Resources"][id]["Type"] == kind, name
    assert outputs()["LakeBucket"] != outputs()["AthenaResultsBucket"]


def test_the_lake_is_the_bucket_that_the_functions_use() -> None:
    used = default().all("Lambda::Function")["WorkerFn"]["Environment"]["Variables"]["OPTION_A_LAKE"]
    assert flat(used) == f"s3://{outputs()['LakeBucket']}"


def test_the_command_line_finds_all_that_it_needs() -> None:
    msgspec.convert(outputs(), Outputs)
