"""What only a stack has: somebody else works, and a person looks on, or does not."""

from __future__ import annotations

import datetime as dt
import signal
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.acceptance.command import DAY, Place, wait_for
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, data_body, serve_api
from tests.support.aws.deployed_stack import FakeStack
from tests.support.aws.moto import MotoServer

ORDERS = '[sources.orders]\nurl = "{url}/orders"\ndate_param = "date"\n'
_numbers = count(1)


def healthy(asked: ApiRequest) -> bytes:
    return data_body([b'{"id":%d}' % asked.page] if asked.page <= 3 else [])


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serve_api(healthy) as running:
        yield running


@pytest.fixture
def stack(server: MotoServer, api: FakeApi) -> FakeStack:
    made = FakeStack(server, f"Following{next(_numbers)}")
    made.deploy(["orders"], ORDERS.format(url=api.url))
    return made


@pytest.fixture
def option_a(tmp_path: Path, stack: FakeStack, api: FakeApi) -> Place:
    place = Place(tmp_path, **stack.env)
    place.declare(ORDERS.format(url=api.url))
    return place


def waiting(option_a: Place) -> int:
    """The tasks that are visible in the queues."""
    return sum(queue["visible"] for queue in option_a("status", "--json").json()["queues"])


def test_detach_sends_and_returns_and_the_stack_goes_on(option_a: Place, stack: FakeStack) -> None:
    done = option_a("run", "--date", DAY, "--detach")
    assert (done.code, done.out) == (0, f"1 task sent; the stack continues: option-a status --stack {stack.name}\n")
    assert waiting(option_a) == 1
    with stack.worker_running(option_a.folder / "sources.toml", option_a.env):
        followed = option_a("run", "--date", DAY)
    assert followed.code == 0, followed.err
    assert waiting(option_a) == 0
    assert option_a("verify").code == 0


def test_detach_in_json_says_that_the_end_is_not_known(option_a: Place) -> None:
    answer = option_a("run", "--date", DAY, "--detach", "--json").json()
    assert (answer["sent"], answer["ok"], answer["worked"]) == (1, None, False)
    assert [row["state"] for row in answer["partitions"]] == ["missing"]


def test_cancel_takes_back_the_tasks_of_those_dates_alone(option_a: Place, stack: FakeStack) -> None:
    option_a("backfill", "--from", "2024-04-27", "--to", DAY, "--detach")
    assert waiting(option_a) == 5
    done = option_a("cancel", "orders", "--from", "2024-04-28", "--to", "2024-04-29", "--json")
    assert done.json() == {"cancelled": 2, "in_flight": 0}
    assert waiting(option_a) == 3
    with stack.worker_running(option_a.folder / "sources.toml", option_a.env):
        assert option_a("run", "--date", DAY).code == 0
        assert option_a("backfill", "--from", "2024-04-27", "--to", "2024-04-27").code == 0
    states = {row["date"]: row["state"] for row in option_a("status", "--json").json()["partitions"]}
    assert {states.get("2024-04-28", "missing"), states.get("2024-04-29", "missing")} == {"missing"}


def test_ctrl_c_leaves_the_stack_at_work(option_a: Place, stack: FakeStack, api: FakeApi) -> None:
    with option_a.start("run", "--date", DAY) as running:
        wait_for(running, lambda: waiting(option_a) == 1)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "no longer following: the stack continues with its tasks" in err
    assert f"the stack continues: option-a status --stack {stack.name}" in err
    assert "missing" in out
    assert waiting(option_a) == 1
    assert api.asked == []


def test_a_second_run_follows_what_a_worker_has_in_hand(option_a: Place, stack: FakeStack, api: FakeApi) -> None:
    answered, gate = api.pages, threading.Event()

    def slow(asked: ApiRequest) -> bytes | ApiResponse:
        assert gate.wait(120)
        return answered(asked)

    api.pages = slow
    option_a("run", "--date", DAY, "--detach")
    with stack.worker_running(option_a.folder / "sources.toml", option_a.env):
        try:
            with option_a.start("run", "--date", DAY) as running:
                while not api.asked or option_a("plan", "--date", DAY, "--json").json():
                    time.sleep(0.05)
                with option_a.start("run", "--date", DAY) as second:
                    said = second.stderr.readline() if second.stderr else ""
                    gate.set()
                    second.communicate(timeout=120)
                running.communicate(timeout=120)
        finally:
            gate.set()
    assert said == "1 left in the queue\n"
    assert (running.returncode, second.returncode) == (0, 0)
    assert sorted(asked.page for asked in api.asked) == [1, 2, 3, 4]


def test_a_letter_that_nobody_can_read_is_shown_and_only_the_stack_moves_it(option_a: Place, stack: FakeStack) -> None:
    queue = stack.queue(["orders"])
    queue.client.send_message(QueueUrl=queue.dead_url("orders"), MessageBody="{no task")
    (letter,) = option_a("dead", "--json").json()
    assert (letter["source"], letter["date"], letter["body"]) == ("orders", None, "{no task")
    assert option_a("redrive").out == "Nothing to do.\n"
    assert len(option_a("dead", "--json").json()) == 1
    moved = option_a("redrive", "--unreadable")
    assert moved.code == 1, "the server of this test knows no StartMessageMoveTask: AWS does"
    assert "error: cannot move the dead letters of the queue" in moved.err
    assert option_a("dead", "--discard-unreadable").out == "0 dead letters\n"
    assert option_a("redrive", "--unreadable").out == "0 unreadable letters being moved back to the queues\n"


def test_the_age_of_the_oldest_task_is_what_cloudwatch_knows(option_a: Place, stack: FakeStack) -> None:
    option_a("run", "--date", DAY, "--detach")
    assert option_a("status", "--json").json()["queues"][0]["oldest_seconds"] is None
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    queue = stack.queue(["orders"]).url("orders").rpartition("/")[2]
    for minutes, age in ((4, 60.0), (1, 240.0)):
        stack.aws.client("cloudwatch").put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": queue}],
                    "Timestamp": now - dt.timedelta(minutes=minutes),
                    "Value": age,
                }
            ],
        )
    assert option_a("status", "--json").json()["queues"][0]["oldest_seconds"] == pytest.approx(240.0, abs=10)
    assert "4 min" in option_a("status").out


def test_a_source_that_is_not_deployed_yet_is_named_and_nothing_is_sent(option_a: Place, api: FakeApi) -> None:
    text = ORDERS.format(url=api.url)
    option_a.declare(text + text.replace("orders", "added"))
    done = option_a("run", "--date", DAY)
    assert done.code == 2
    assert "has no queue for `added`" in done.err
    assert "cdk deploy creates it" in done.err
    assert waiting(option_a) == 0


def test_a_file_that_is_not_what_was_deployed_is_told_once(option_a: Place, stack: FakeStack) -> None:
    option_a.declare((option_a.folder / "sources.toml").read_text("utf-8") + "# another line\n")
    done = option_a("status")
    assert done.code == 0
    assert done.err == f"sources.toml is not what the stack {stack.name} was deployed with: cdk deploy brings it\n"


def test_mock_and_real_are_what_the_stack_was_deployed_with(tmp_path: Path, server: MotoServer) -> None:
    stack = FakeStack(server, f"Following{next(_numbers)}")
    stack.deploy(["orders"], "", {"USE_REAL_HTTP": "false"})
    option_a = Place(tmp_path, **stack.env, USE_REAL_HTTP="true")
    option_a.declare(ORDERS.format(url="https://api.example.com"))
    assert [row["origin"] for row in option_a("check", "--json").json()] == ["mock"]
