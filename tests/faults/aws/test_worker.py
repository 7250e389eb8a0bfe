"""The worker's handler: deliveries of an SQS that is not ours, a lake in a folder, an API that is a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_lambda_powertools import Logger, Metrics

from option_a.aws.functions.telemetry import Telemetry
from option_a.aws.functions.worker import CHECKPOINT, LEASE, SqsBatchHandler
from option_a.aws.stack.queue_admin import SqsQueueAdmin
from option_a.ingest.errors import LakeError, TransientError
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.ports import Request, Response
from option_a.ingest.resilience.rate_limiter import LocalRateLimiter
from option_a.ingest.task import Task, decode_task
from tests.support.aws.event_source_mapping import EventSourceMapping, FakeLambdaContext
from tests.support.aws.moto import MotoServer, moto_server, pass_sqs_time
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages, source

NUMBERS = count(1)
SLOW = 60.0
"""Seconds that a request takes where an API is slow."""


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with moto_server() as running:
        yield running


class Slow:
    """An API that takes its time; `spent` is in seconds."""

    def __init__(self, pages: int) -> None:
        self._api, self.spent = numbered_pages(make_pages(pages)), 0.0

    def __call__(self, request: Request) -> bytes | Response:
        self.spent += SLOW
        return self._api(request)


class Rig:
    """A worker's handler, and the queue that feeds it."""

    def __init__(self, server: MotoServer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
        Metrics(namespace="Test", service="test").clear_metrics()  # all instances of a process share theirs
        self.stack = f"Batch{next(NUMBERS)}"
        self.aws = server
        server.make_queues(self.stack, ["s"])
        self.queue = SqsQueueAdmin(server.client("sqs"), server.queue_base, self.stack, ["s"])
        self.pipeline = Pipeline(root, numbered_pages(make_pages(3)), source())
        self.turns: LocalRateLimiter | None = None
        self.mapping = EventSourceMapping(server, self.stack, "s")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.queue.client.meta.events.register(
            "provide-client-params.sqs.*",
            lambda params, model, **kwargs: self.calls.append((model.name, params)),
        )

    @property
    def handler(self) -> SqsBatchHandler:
        telemetry = Telemetry(Logger(service="test", level="CRITICAL"), Metrics(namespace="Test", service="test"))
        world = msgspec.structs.replace(self.pipeline.services, queue=self.queue, emit=telemetry)
        return SqsBatchHandler(world, self.queue, self.pipeline.sources, telemetry, self.turns)

    def send(self, *days: int) -> None:
        self.queue.send([Task("s", DATE.replace(day=day), RUN) for day in days or (DATE.day,)])

    def poll(self, *, most: int = 1, left: Callable[[], float] = lambda: 900.0) -> list[str] | None:
        return self.mapping.poll(lambda event: self.handler(event, FakeLambdaContext(left)), most=most)

    def pass_time(self, seconds: float) -> None:
        self.pipeline.clock.sleep(seconds)
        pass_sqs_time(self.stack, seconds)

    def depths(self) -> tuple[int, int, int, int]:
        [depth] = self.queue.depth()
        return depth.visible, depth.delayed, depth.in_flight, depth.dead

    def hidden_for(self) -> list[int]:
        """Every visibility that was set, in order."""
        return [params["VisibilityTimeout"] for name, params in self.calls if name == "ChangeMessageVisibility"]


@pytest.fixture
def rig(server: MotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(server, tmp_path, monkeypatch)


def test_a_delivery_is_loaded_acked_and_leaves_nothing_on_the_queue(rig: Rig) -> None:
    rig.send()
    assert rig.poll() == []
    assert (rig.pipeline.manifest().state, len(rig.pipeline.pages()), rig.depths()) == ("complete", 3, (0, 0, 0, 0))


def test_a_message_is_hidden_for_the_invocations_time_and_a_minute_then_by_short_leases(rig: Rig) -> None:
    rig.send()
    rig.poll(left=lambda: 900.0)
    first, *leases = rig.hidden_for()
    assert first == 960
    assert set(leases) == {int(LEASE)}
    assert CHECKPOINT < LEASE / 3


def test_the_first_turn_of_an_invocation_is_its_share_of_the_rate_after_it_began(rig: Rig) -> None:
    clock = rig.pipeline.clock
    rig.turns = LocalRateLimiter({"s": source(rate="2/s", concurrency=4)}, clock)
    clock.time += 1_000.0
    assert rig.turns("s", 0.5) == 0.0
    rig.send()
    rig.poll()
    assert rig.turns("s", 0.5) == 2.0


def test_ten_at_once_are_each_done_on_their_own_and_a_poison_one_is_named(rig: Rig) -> None:
    rig.send(*range(1, 10))
    rig.queue.client.send_message(QueueUrl=rig.queue.url("s"), MessageBody="{poison")
    failed = rig.poll(most=10)
    assert failed is not None
    assert len(failed) == 1
    assert {rig.pipeline.manifest(date=DATE.replace(day=day)).state for day in range(1, 10)} == {"complete"}
    assert rig.depths() == (1, 0, 0, 0)


def test_a_poison_message_is_dead_after_five_receives_and_raises_nothing(rig: Rig) -> None:
    rig.queue.client.send_message(QueueUrl=rig.queue.url("s"), MessageBody="\N{SNOWMAN} no task")
    outcomes = [rig.poll() for _ in range(6)]
    assert [len(failed or []) for failed in outcomes] == [1, 1, 1, 1, 1, 0]
    assert rig.depths() == (0, 0, 0, 1)
    [letter] = rig.queue.dead_letters()
    assert (letter.task, letter.cause.kind) == (None, "receives")


def test_a_permanent_error_is_in_the_dead_letters_at_once_with_its_cause_from_the_worker(rig: Rig) -> None:
    rig.pipeline.api = lambda request: b"<html>"
    rig.send()
    assert rig.poll() == []
    assert rig.depths() == (0, 0, 0, 1)
    [letter] = rig.queue.dead_letters()
    assert (letter.cause.kind, letter.cause.page, letter.receives) == ("body", 1, 1)
    assert rig.pipeline.manifest().cause == letter.cause


def test_a_long_wait_is_sent_again_with_a_delay_and_costs_no_receive(rig: Rig) -> None:
    def down(request: Request) -> bytes:
        raise TransientError("the API answered 503", retry_after=600)

    rig.pipeline.api = down
    rig.send()
    for _ in range(7):
        assert rig.poll() == []
        assert rig.depths() == (0, 1, 0, 0)
        assert rig.poll() is None
        rig.pass_time(900)
    rig.pipeline.api = numbered_pages(make_pages(3))
    assert rig.poll() == []
    assert (rig.pipeline.manifest().state, rig.depths()) == ("complete", (0, 0, 0, 0))


def test_short_of_time_it_checkpoints_and_sends_the_task_again(rig: Rig) -> None:
    api = rig.pipeline.api = Slow(3)
    rig.send()
    assert rig.poll(left=lambda: 180.0 - api.spent) == []
    assert (rig.pipeline.manifest().state, rig.depths()) == ("loading", (1, 0, 0, 0))
    landed = len(rig.pipeline.pages())
    assert 0 < landed < 3
    asked = len(rig.pipeline.requests)
    api.spent = 0.0
    assert rig.poll(left=lambda: 900.0 - api.spent) == []
    assert rig.pipeline.manifest().state == "complete"
    assert rig.pipeline.asked(asked)[0] == landed + 1


def test_what_there_is_no_time_for_is_sent_again_untouched(rig: Rig) -> None:
    api = rig.pipeline.api = Slow(1)
    rig.send(1, 2)
    assert rig.poll(most=2, left=lambda: 200.0 - api.spent) == []
    assert rig.depths() == (1, 0, 0, 0)
    [message] = rig.queue.messages(rig.queue.url("s"), visibility=0)
    task = decode_task(message["Body"].encode())
    assert (task.requeues, message["Attributes"]["ApproximateReceiveCount"]) == (1, "1")


def test_a_worker_that_dies_is_followed_within_its_lease_and_nothing_is_fetched_twice_but_what_it_had_in_hand(
    rig: Rig,
) -> None:
    class Killed(BaseException):
        pass

    def dying(request: Request) -> bytes:
        if request.params["page"] == "3":
            raise Killed
        return numbered_pages(make_pages(3))(request)

    rig.pipeline.api = dying
    rig.send()
    with pytest.raises(Killed):
        rig.poll()
    assert rig.poll() is None
    rig.pass_time(LEASE + 1)
    rig.pipeline.api = numbered_pages(make_pages(3))
    while rig.poll() is not None:
        pass
    assert (rig.pipeline.manifest().state, rig.depths()) == ("complete", (0, 0, 0, 0))


def test_a_lake_that_is_down_fails_the_invocation_and_keeps_the_message_for_a_quarter_of_an_hour(rig: Rig) -> None:
    class Down(FolderLake):
        def read(self, key: str) -> tuple[bytes, str] | None:
            raise LakeError("the lake is down")

    rig.pipeline.services = msgspec.structs.replace(rig.pipeline.services, lake=Down(Path("/nowhere")))
    rig.send()
    with pytest.raises(LakeError, match="the lake is down"):
        rig.poll()
    assert rig.hidden_for() == [960, 900]
    assert rig.depths() == (0, 0, 1, 0)


def test_a_task_of_a_source_that_is_declared_no_longer_is_dead_with_that_cause(rig: Rig) -> None:
    rig.pipeline.sources.clear()
    rig.send()
    assert rig.poll() == []
    [letter] = rig.queue.dead_letters()
    assert letter.cause.kind == "config"


def test_a_task_that_is_delivered_twice_is_loaded_once(rig: Rig) -> None:
    rig.send()
    rig.send()
    assert (rig.poll(), rig.poll()) == ([], [])
    assert (len(rig.pipeline.requests), rig.depths()) == (4, (0, 0, 0, 0))


def test_what_was_landed_is_measured_once_and_what_was_resumed_is_not_counted_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")
    api = rig.pipeline.api = Slow(3)
    metrics = Metrics(namespace="Test", service="test")
    rig.send()
    landed = []
    for given in (180.0, 900.0):
        api.spent = 0.0
        context = FakeLambdaContext(lambda given=given: given - api.spent)  # type: ignore[misc]
        rig.mapping.poll(lambda event, context=context: metrics.log_metrics(rig.handler)(event, context))  # type: ignore[misc]
        landed.append(json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert sum(line["PagesLanded"][0] for line in landed) == 3
    assert sum(line["RecordsLanded"][0] for line in landed) == 6
    assert sum(sum(line.get("PartitionsComplete", [0])) for line in landed) == 1
    assert sum(sum(line.get("TasksSentAgain", [0])) for line in landed) == 1
    assert all(line["NearTimeouts"] == [0.0] for line in landed)
