"""Four hundred sources: nested stacks, each within CloudFormation's limits, and functions within Lambda's."""

from __future__ import annotations

import json
import time
from functools import cache

from option_a.names import dead_queue_name, queue_name
from tests.stack.assembly import DEFAULT, STACK, Assembly, default, flat, synthesize

COUNT = 400
NAMES = [f"a-source-of-many-{number:03d}" for number in range(COUNT)]
ONE = """
[sources.{0}]
url = "https://api.example.com/{0}"
columns = {{ id = "bigint", Name = "string", "a.b" = "json" }}
auth = {{ style = "bearer", token = "aws-secret:one-for-all#{0}" }}
"""


@cache
def many() -> Assembly:
    return synthesize("".join(map(ONE.format, NAMES)))


def test_no_template_is_larger_than_cloudformation_takes() -> None:
    assert len(many().nested) == 16
    for path in many().templates:
        template = json.loads(path.read_text())
        assert len(template["Resources"]) <= 500, path.name
        assert len(template.get("Parameters", {})) <= 200, path.name
        assert path.stat().st_size <= 10**6, path.name


def test_one_operation_takes_them_all() -> None:
    assert sum(len(one["Resources"]) for one in [many().root, *many().nested]) <= 2_500


def test_fifty_in_the_root_fit_too() -> None:
    fifty = synthesize("".join(map(ONE.format, NAMES[:50])))
    assert fifty.nested == []
    assert len(fifty.root["Resources"]) <= 500


def test_the_functions_stay_in_the_root() -> None:
    assert {"PlannerFn", "WorkerFn", "FreshnessFn"} <= many().root["Resources"].keys()
    assert [
        one for one in many().nested if any(r["Type"] == "AWS::Lambda::Function" for r in one["Resources"].values())
    ] == []
    assert set(default().root["Outputs"]) <= set(many().root["Outputs"])


def test_every_source_has_its_queues_its_subscription_and_its_tables() -> None:
    queues = [one["QueueName"] for one in many().all("SQS::Queue").values()]
    wanted = {*(queue_name(STACK, name) for name in NAMES), *(dead_queue_name(STACK, name) for name in NAMES)}
    assert len(queues) == len(set(queues)) == 2 * COUNT + 1
    assert wanted <= set(queues)
    assert len(many().all("Lambda::EventSourceMapping")) == COUNT
    tables = {one["TableInput"]["Name"] for one in many().all("Glue::Table").values()}
    views = [name.replace("-", "_") for name in NAMES]
    assert tables == {*views, *(f"{view}_lines" for view in views)}


def test_every_queue_is_watched_and_refuses_plain_http() -> None:
    for template in many().nested:
        resources = template["Resources"].values()
        queues = sum(one["Type"] == "AWS::SQS::Queue" for one in resources)
        closed = [len(one["Properties"]["Queues"]) for one in resources if one["Type"] == "AWS::SQS::QueuePolicy"]
        parts = [len(one["Properties"]["Metrics"]) - 1 for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
        assert sum(closed) == sum(parts) == queues
        assert max(parts) <= 10


def test_neither_environments_nor_policies_grow_with_the_sources() -> None:
    few = {id: flat(one["Environment"]) for id, one in default().all("Lambda::Function").items()}
    assert {id: flat(one["Environment"]) for id, one in many().all("Lambda::Function").items()} == few
    for role in many().all("IAM::Role").values():
        assert len(json.dumps(flat(role["Policies"]))) < 6_000


def test_synthesis_takes_no_half_minute() -> None:
    began = time.monotonic()
    synthesize(DEFAULT)
    assert time.monotonic() - began < 30
