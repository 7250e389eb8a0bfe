"""The asset under the real Lambda runtime client, over the wire to an AWS that is not ours."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from option_a.aws.functions.worker import LEASE
from option_a.ingest.config.source import DEFAULT_NAMES
from option_a.ingest.http.mock import mock_body
from option_a.ingest.task import Task
from tests.support.apis.http_server import Server
from tests.support.aws.lambda_runtime import FunctionError
from tests.support.aws.lambda_stack import DAY, STACK, LambdaStack, SlowApi, real_http_env
from tests.support.aws.moto import moto_server, pass_sqs_time


@pytest.fixture
def stack(asset: Path, runtime: Path) -> Iterator[LambdaStack]:
    with moto_server() as server:
        yield LambdaStack(server, asset, runtime)


def records_of(source: str) -> list[bytes]:
    """The records that the mock API has of a day, by pages until the empty one."""
    lines: list[bytes] = []
    for page in range(1, 100):
        data = json.loads(mock_body(source, DAY, str(page)))["data"]
        if not data:
            return lines
        lines += [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() for record in data]
    raise AssertionError


def test_a_night_from_event_to_pages_at_exactly_their_keys(stack: LambdaStack) -> None:
    with stack.function("planner") as planner, stack.function("worker") as worker:
        answer = planner.invoke({"date": DAY})
        assert (answer["enqueued"], answer["why"]) == (4, {"missing": 4})
        assert [task["source"] for task in answer["tasks"]] == list(DEFAULT_NAMES)
        assert stack.drain(worker) == 4
        assert planner.invoke({"date": DAY})["enqueued"] == 0
        for source in DEFAULT_NAMES:
            prefix = f"raw/source={source}/ingestion_date={DAY}/"
            pages = stack.objects(prefix)
            assert min(pages) == f"{prefix}page=000001.json.gz"
            lines = b"".join(gzip.decompress(pages[key]) for key in sorted(pages)).splitlines()
            assert [json.loads(line) for line in lines] == [json.loads(line) for line in records_of(source)]
            assert (stack.manifest(source)["state"], stack.manifest(source)["load"]["records"]) == (
                "complete",
                len(lines),
            )
        lines_of = worker.lines()
    assert {depth.queue: depth.live + depth.dead for depth in stack.queues.depth()} == dict.fromkeys(DEFAULT_NAMES, 0)
    told = [line for line in lines_of if line.get("message") == "complete"]
    assert {(line["source"], line["date"]) for line in told} == {(source, DAY) for source in DEFAULT_NAMES}
    for line in lines_of:
        if "level" in line:
            assert {"run", "source", "date", "page", "service", "function_request_id"} <= line.keys()
    figures = [line for line in lines_of if "_aws" in line]
    assert sum(sum(line["RecordsLanded"]) for line in figures) == sum(len(records_of(s)) for s in DEFAULT_NAMES)
    assert {tuple(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) for line in figures} == {("service",)}


def test_a_schedule_that_is_delivered_twice_is_one_run(stack: LambdaStack) -> None:
    event = {"detail-type": "Scheduled Event", "id": "e-1", "time": "2026-11-24T01:00:00Z", "detail": {}}
    with stack.function("planner") as planner, stack.function("worker") as worker:
        first, second = planner.invoke(event), planner.invoke(event)
        assert first["run"] == second["run"] == "20261124T010000Z-e-1"
        assert (first["enqueued"], second["enqueued"]) == (4, 4)
        assert stack.drain(worker) == 8
        written = [line for line in worker.lines() if line.get("message") == "complete"]
    assert len(written) == 4
    assert {depth.live + depth.dead for depth in stack.queues.depth()} == {0}


@pytest.mark.bar(5)
def test_a_poison_message_ends_in_its_dead_letters_and_the_others_go_on(stack: LambdaStack) -> None:
    stack.queues.client.send_message(QueueUrl=stack.queues.url("api-b"), MessageBody="{poison")
    with stack.function("planner") as planner, stack.function("worker") as worker:
        planner.invoke({"date": DAY})
        stack.drain(worker)
    assert {depth.queue: (depth.live, depth.dead) for depth in stack.queues.depth()} == {
        source: (0, int(source == "api-b")) for source in DEFAULT_NAMES
    }
    [letter] = stack.queues.dead_letters()
    assert (letter.body, letter.task, letter.cause.kind) == (b"{poison", None, "receives")
    assert stack.manifest("api-b")["state"] == "complete"


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"sources": ["api_a"]}, "did you mean `api-a`"),
        ({"date": "yesterday"}, "the event"),
        ({"days": 3}, "`days` is unknown"),
        ({"date": "2999-01-01"}, "in the future"),
    ],
)
def test_an_event_that_is_none_is_refused_and_nothing_is_lost(
    stack: LambdaStack, event: dict[str, Any], says: str
) -> None:
    with stack.function("planner") as planner, pytest.raises(FunctionError) as caught:
        planner.invoke(event)
    assert says in json.loads(str(caught.value))["errorMessage"]
    assert {depth.live for depth in stack.queues.depth()} == {0}


def test_a_worker_that_is_killed_is_followed_by_another_and_nothing_is_lost_or_doubled(stack: LambdaStack) -> None:
    api = SlowApi(stuck=3)
    with Server(api) as server, stack.function("planner", **real_http_env(server)) as planner:
        planner.invoke({"date": DAY, "sources": ["api-c"]})
        with stack.function("worker", **real_http_env(server)) as doomed:
            doomed.begin({"Records": stack.mappings[2].receive()})
            while 3 not in api.asked:
                assert doomed.process.poll() is None, doomed.log.read_text()
            doomed.kill()
        api.free.set()
        pass_sqs_time(STACK, LEASE + 30)
        wait_out_the_claim(stack)
        with stack.function("worker", **real_http_env(server)) as worker:
            stack.drain(worker)
    lines = [
        line for data in stack.objects("raw/source=api-c/").values() for line in gzip.decompress(data).splitlines()
    ]
    assert len(lines) == len(records_of("api-c")) == len(set(lines))
    assert (stack.manifest("api-c")["state"], stack.manifest("api-c")["load"]["origin"]) == ("complete", "real")


def wait_out_the_claim(stack: LambdaStack) -> None:
    """As if the dead worker's claim had run out: minutes are long in a test."""
    key = f"manifest/source=api-c/ingestion_date={DAY}/manifest.json"
    manifest = json.loads(stack.objects(key)[key])
    manifest["claim"]["expires"] -= LEASE + 30
    stack.server.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=json.dumps(manifest).encode())


def test_when_time_runs_short_the_task_goes_on_in_the_next_invocation(stack: LambdaStack) -> None:
    api = SlowApi(takes=0.5)
    with Server(api) as server, stack.function("worker", **real_http_env(server)) as worker:
        stack.queues.send([Task("api-a", dt.date.fromisoformat(DAY), "20260101T000000Z-r")])
        stack.drain(worker, seconds=4.0)
        outcomes = [line["message"] for line in worker.lines() if line.get("message") in ("out-of-time", "complete")]
    assert outcomes[-1] == "complete"
    assert "out-of-time" in outcomes
    assert stack.manifest("api-a")["load"]["records"] == len(records_of("api-a"))
    assert sorted(api.asked) == list(range(1, len(api.asked) + 1))


def test_the_hourly_look_names_what_is_late(stack: LambdaStack) -> None:
    with stack.function("freshness") as freshness, stack.function("planner") as planner:
        answer = freshness.invoke({})
        assert (answer["expected"], answer["late"]) == (4, 4)
        [figures] = [line for line in freshness.lines() if "_aws" in line]
        assert (figures["PartitionsLate"], figures["PartitionsExpected"]) == ([4.0], [4.0])
        day = answer["partitions"][0]["date"]
        planner.invoke({"date": day})
        with stack.function("worker") as worker:
            stack.drain(worker)
        assert freshness.invoke({})["late"] == 0


@pytest.mark.parametrize("name", ["planner", "worker", "freshness"])
def test_a_cold_start_imports_nothing_that_is_not_needed_at_once(stack: LambdaStack, name: str) -> None:
    """How long it takes is told by the bench."""
    program = f"import awslambdaric.bootstrap, sys, {name}; print(*sorted(sys.modules))"
    env = {**stack.env, "PATH": "/usr/bin:/bin", "PYTHONPATH": f"{stack.asset}:{stack.runtime}"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], env=env, cwd=stack.asset, check=True, capture_output=True, text=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"msgspec", "aws_lambda_powertools", "option_a.aws.functions.wiring"} <= loaded
    assert not loaded & {
        "boto3",
        "option_a.ingest.http.client",
        "option_a.ingest.http.mock",
        "option_a.aws.stack.pipeline",
        "click",
    }
