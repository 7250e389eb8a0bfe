"""A queue a source, with its dead letters and the worker's subscription."""

from __future__ import annotations

import pytest

from tests.stack.assembly import STACK, Resource, default, flat, synthesize

SOURCES = ("api-a", "api-b", "api-c", "api-d")


def queue(name: str) -> tuple[str, Resource]:
    (found,) = [(id, one) for id, one in default().all("SQS::Queue").items() if one["QueueName"] == name]
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_has_a_queue_and_its_dead_letters(source: str) -> None:
    dead, letters = queue(f"{STACK}__{source}-Dead")
    _, live = queue(f"{STACK}__{source}")
    assert live["VisibilityTimeout"] >= 6 * default().all("Lambda::Function")["WorkerFn"]["Timeout"]
    assert flat(live["RedrivePolicy"]) == {"deadLetterTargetArn": f"${{{dead}.Arn}}", "maxReceiveCount": 5}
    assert (live["MessageRetentionPeriod"], letters["MessageRetentionPeriod"]) == (10 * 86_400, 14 * 86_400)
    assert live["SqsManagedSseEnabled"] is letters["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("source", SOURCES)
def test_the_worker_takes_one_task_at_a_time_and_answers_for_each(source: str) -> None:
    id, _ = queue(f"{STACK}__{source}")
    mapping = default().one("Lambda::EventSourceMapping", EventSourceArn={"Fn::GetAtt": [id, "Arn"]})
    assert flat(mapping["FunctionName"]) == "${WorkerFn}"
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_there_is_nothing_beside_them() -> None:
    assert len(default().all("SQS::Queue")) == 2 * len(SOURCES) + 1
    assert len(default().all("Lambda::EventSourceMapping")) == len(SOURCES)


def test_the_cap_of_a_source_is_its_own() -> None:
    text = '[sources.api-a]\nconcurrency = 7\n[sources.orders]\nurl = "https://api.example.com"\n'
    caps = [one["ScalingConfig"] for one in synthesize(text).all("Lambda::EventSourceMapping").values()]
    assert caps == [{"MaximumConcurrency": 7}, {"MaximumConcurrency": 2}]


def test_every_queue_refuses_plain_http() -> None:
    refused = set()
    for policy in default().all("SQS::QueuePolicy").values():
        denials = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        assert [one["Condition"] for one in denials] == [{"Bool": {"aws:SecureTransport": "false"}}]
        assert [(one["Action"], one["Principal"]) for one in denials] == [("sqs:*", {"AWS": "*"})]
        refused |= {flat(one) for one in policy["Queues"]}
    assert refused == {f"${{{id}}}" for id in default().all("SQS::Queue")}
