"""What runs, when, and what becomes of what fails."""

from __future__ import annotations

import pytest

from tests.stack.assembly import DEFAULT, DIGEST, STACK, default, flat, synthesize

NAMES = ("Planner", "Worker", "Freshness")
ENVIRONMENT = {
    "OPTION_A_LAKE": "s3://${LakeBucketB1D32E10}",
    "OPTION_A_STACK": STACK,
    "OPTION_A_QUEUES": "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/",
    "POWERTOOLS_SERVICE_NAME": STACK,
    "POWERTOOLS_METRICS_NAMESPACE": "OptionA",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


def test_there_are_three_functions_under_exactly_these_ids() -> None:
    assert set(default().all("Lambda::Function")) == {f"{name}Fn" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_function(name: str) -> None:
    function = default().all("Lambda::Function")[f"{name}Fn"]
    assert function["Handler"] == f"{name.lower()}.handler"
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Timeout"] == 900
    assert "ReservedConcurrentExecutions" not in function, "new accounts refuse it"
    digest = {"OPTION_A_SOURCES_SHA256": DIGEST} if name == "Worker" else {}
    assert flat(function["Environment"]["Variables"]) == ENVIRONMENT | digest


def test_the_three_share_one_asset() -> None:
    assert len({flat(one["Code"]["S3Key"]) for one in default().all("Lambda::Function").values()}) == 1


def test_only_the_worker_may_feed_the_queue_that_it_came_from() -> None:
    loops = {name: one.get("RecursiveLoop") for name, one in default().all("Lambda::Function").items()}
    assert loops == {"PlannerFn": None, "WorkerFn": "Allow", "FreshnessFn": None}


def test_the_schedule_and_its_dead_letters() -> None:
    nightly = default().one("Events::Rule", ScheduleExpression="cron(0 1 * * ? *)")
    (target,) = nightly["Targets"]
    assert nightly["State"] == "ENABLED"
    assert flat(target["Arn"]) == "${PlannerFn.Arn}"
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 7200, "MaximumRetryAttempts": 8}
    assert flat(target["DeadLetterConfig"]["Arn"]) == "${FunctionsPlannerDeadE74B73FD.Arn}"


def test_what_the_planner_cannot_plan_is_kept() -> None:
    invoked = default().one("Lambda::EventInvokeConfig")
    assert flat(invoked["FunctionName"]) == "${PlannerFn}"
    assert invoked["MaximumRetryAttempts"] == 2
    assert flat(invoked["DestinationConfig"]["OnFailure"]["Destination"]) == "${FunctionsPlannerDeadE74B73FD.Arn}"
    assert default().all("SQS::Queue")["FunctionsPlannerDeadE74B73FD"] == {
        "QueueName": f"{STACK}__PlannerDead",
        "MessageRetentionPeriod": 14 * 86_400,
        "SqsManagedSseEnabled": True,
    }


def test_freshness_is_looked_at_once_in_every_whole_hour() -> None:
    hourly = default().one("Events::Rule", ScheduleExpression="cron(15 * * * ? *)")
    assert flat(hourly["Targets"][0]["Arn"]) == "${FreshnessFn.Arn}"


def test_each_function_logs_to_a_group_that_expires_and_goes_with_the_stack() -> None:
    groups = default().whole("Logs::LogGroup")
    used = {flat(one["LoggingConfig"]["LogGroup"]) for one in default().all("Lambda::Function").values()}
    assert used == {f"${{{name}}}" for name in groups}
    assert [one["Properties"]["RetentionInDays"] for one in groups.values()] == [30, 30, 30]
    assert {one["DeletionPolicy"] for one in groups.values()} == {"Delete"}


def test_the_switches_reach_the_functions() -> None:
    changed = synthesize(
        DEFAULT,
        env={"USE_REAL_HTTP": "false"},
        architecture="x86_64",
        memory=2048,
        logRetention=7,
        reservedConcurrency=8,
    )
    functions = changed.all("Lambda::Function")
    assert {one["Architectures"][0] for one in functions.values()} == {"x86_64"}
    assert {name: one["MemorySize"] for name, one in functions.items()} == {
        "PlannerFn": 512,
        "WorkerFn": 2048,
        "FreshnessFn": 512,
    }
    assert functions["WorkerFn"]["ReservedConcurrentExecutions"] == 8
    assert [one["Environment"]["Variables"]["USE_REAL_HTTP"] for one in functions.values()] == ["false"] * 3
    assert [one["RetentionInDays"] for one in changed.all("Logs::LogGroup").values()] == [7, 7, 7]
