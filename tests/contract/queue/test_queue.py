"""The contract of every queue: one suite, run against each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from option_a.ingest.ports import Cause, Queue
from option_a.ingest.task import Delivery, Task, decode_task
from tests.contract.queue.queues import LEASE, RUN, Bench, MemoryBench, SqliteBench, SqsBench, task
from tests.support.aws.moto import MotoServer, moto_server

BENCHES = ("memory", "sqlite", "sqs")
exact = pytest.mark.exact
"""What SQS does not promise: it knows no task, keeps no order, and may honour an old receipt."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench" in metafunc.fixturenames:
        only_exact = metafunc.definition.get_closest_marker("exact") is not None
        names = [name for name in BENCHES if name != "sqs" or not only_exact]
        metafunc.parametrize("bench", names, indirect=True)


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with moto_server() as running:
        yield running


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, server: MotoServer) -> Iterator[Bench]:
    makers: dict[str, Callable[[], Bench]] = {
        "memory": MemoryBench,
        "sqlite": lambda: SqliteBench(tmp_path / "queue.sqlite"),
        "sqs": lambda: SqsBench(server),
    }
    made = makers[request.param]()
    yield made
    made.close()


@pytest.fixture
def queue(bench: Bench) -> Queue:
    return bench.queue


def received(queue: Queue, *sources: str, lease: float = LEASE) -> Delivery:
    delivery = queue.receive(sources or ("s",), lease=lease)
    assert delivery is not None
    return delivery


def all_tasks(queue: Queue, *sources: str) -> list[Task]:
    found = []
    while (delivery := queue.receive(sources or ("s",), lease=LEASE)) is not None:
        found.append(decode_task(delivery.body))
    return found


def test_what_is_sent_is_received_whole_with_its_queue_and_a_count_of_one(queue: Queue) -> None:
    sent = Task("s", task().date, RUN, fresh=True, requeues=3, waiting_since=1.5)
    assert queue.send([sent]) == 1
    delivery = received(queue)
    assert (decode_task(delivery.body), delivery.queue, delivery.receives) == (sent, "s", 1)


def test_nothing_is_received_from_an_empty_queue(queue: Queue) -> None:
    assert queue.receive(["s"], lease=LEASE) is None


@exact
def test_a_task_that_lives_is_not_taken_twice(queue: Queue) -> None:
    assert queue.send([task(1), task(2), task(1)]) == 2
    assert queue.send(task(day) for day in (1, 2, 3)) == 1
    assert all_tasks(queue) == [task(1), task(2), task(3)]


@exact
def test_a_task_in_flight_lives(queue: Queue) -> None:
    queue.send([task()])
    received(queue)
    assert queue.send([task()]) == 0


@exact
def test_a_task_that_was_sent_again_lives_at_its_new_hop(queue: Queue) -> None:
    queue.send([task()])
    first = received(queue)
    assert queue.send([task().requeued()], delay=60) == 1
    queue.ack(first)
    assert queue.send([task()]) == 0


def test_a_task_that_was_acked_may_be_sent_anew(queue: Queue) -> None:
    queue.send([task()])
    queue.ack(received(queue))
    assert queue.send([task()]) == 1
    assert received(queue).receives == 1


def test_another_run_or_date_or_source_is_another_task(queue: Queue) -> None:
    others = [task(), task(2), task(source="t"), task(run="20231114T220000Z-b")]
    assert queue.send(others) == 4
    assert sorted(all_tasks(queue, "s", "t"), key=str) == sorted(others, key=str)


def test_a_hop_is_a_new_message_beside_the_delivery_that_sent_it(queue: Queue) -> None:
    queue.send([task()])
    first = received(queue)
    assert queue.send([task().requeued()]) == 1
    again = received(queue)
    assert (decode_task(again.body), again.receives) == (task(hop=1), 1)
    queue.ack(first)
    assert queue.extend_visibility(again, LEASE)


@exact
def test_the_same_hop_is_not_taken_twice(queue: Queue) -> None:
    assert queue.send([task(hop=1)]) == 1
    assert queue.send([task(hop=1)]) == 0
    assert all_tasks(queue) == [task(hop=1)]


def test_a_received_task_is_hidden_until_its_lease_is_over_and_then_counted_again(bench: Bench) -> None:
    bench.queue.send([task()])
    assert received(bench.queue).receives == 1
    bench.pass_time(LEASE - 1)
    assert bench.queue.receive(["s"], lease=LEASE) is None
    bench.pass_time(1)
    assert received(bench.queue).receives == 2


def test_a_delayed_task_is_hidden_until_its_delay_is_over(bench: Bench) -> None:
    bench.queue.send([task()], delay=900)
    bench.pass_time(899)
    assert bench.queue.receive(["s"], lease=LEASE) is None
    bench.pass_time(1)
    assert received(bench.queue).receives == 1


def test_extend_hides_it_from_now_on_and_does_not_add_up(bench: Bench) -> None:
    bench.queue.send([task()])
    delivery = received(bench.queue)
    bench.pass_time(LEASE - 1)
    assert bench.queue.extend_visibility(delivery, LEASE) is True
    assert bench.queue.extend_visibility(delivery, LEASE) is True
    bench.pass_time(LEASE - 1)
    assert bench.queue.receive(["s"], lease=LEASE) is None
    bench.pass_time(1)
    assert received(bench.queue).receives == 2


def test_extend_by_nothing_gives_it_back_at_once(queue: Queue) -> None:
    queue.send([task()])
    assert queue.extend_visibility(received(queue), 0.0) is True
    assert received(queue).receives == 2


@exact
def test_extend_is_false_once_another_has_received_it_and_leaves_his_lease_alone(bench: Bench) -> None:
    bench.queue.send([task()])
    old = received(bench.queue)
    bench.pass_time(LEASE)
    new = received(bench.queue)
    assert bench.queue.extend_visibility(old, 0.0) is False
    assert bench.queue.receive(["s"], lease=LEASE) is None
    assert bench.queue.extend_visibility(new, LEASE) is True


def test_extend_is_false_once_it_was_acked_or_buried(queue: Queue) -> None:
    queue.send([task(1), task(2)])
    acked, buried = received(queue), received(queue)
    queue.ack(acked)
    queue.dead_letter(buried, Cause("http", "no"))
    assert not queue.extend_visibility(acked, LEASE)
    assert not queue.extend_visibility(buried, LEASE)


def test_an_acked_task_never_comes_again(bench: Bench) -> None:
    bench.queue.send([task()])
    bench.queue.ack(received(bench.queue))
    bench.pass_time(10 * LEASE)
    assert bench.queue.receive(["s"], lease=LEASE) is None
    assert bench.dead() == []


@exact
def test_an_old_receipt_acks_and_buries_nothing(bench: Bench) -> None:
    bench.queue.send([task()])
    old = received(bench.queue)
    bench.pass_time(LEASE)
    new = received(bench.queue)
    bench.queue.ack(old)
    bench.queue.dead_letter(old, Cause("http", "no"))
    assert bench.dead() == []
    assert bench.queue.extend_visibility(new, 0.0) is True
    assert received(bench.queue).receives == 3


@exact
def test_a_second_ack_and_a_burial_after_it_do_nothing(bench: Bench) -> None:
    bench.queue.send([task(1), task(2)])
    first = received(bench.queue)
    bench.queue.ack(first)
    bench.queue.ack(first)
    bench.queue.dead_letter(first, Cause("http", "no"))
    assert bench.dead() == []
    assert all_tasks(bench.queue) == [task(2)]


def test_five_receives_are_given_and_the_sixth_finds_it_dead_with_its_cause(bench: Bench) -> None:
    bench.queue.send([task()])
    for count in range(1, 6):
        assert received(bench.queue).receives == count
        assert bench.dead() == []
        bench.pass_time(LEASE)
    assert bench.queue.receive(["s"], lease=LEASE) is None
    [letter] = bench.dead()
    assert (letter.queue, letter.task, letter.receives, letter.cause.kind) == ("s", task(), 5, "receives")
    assert "received 5 times" in letter.cause.message


def test_the_fifth_receive_may_still_be_acked(bench: Bench) -> None:
    bench.queue.send([task()])
    for _ in range(4):
        bench.queue.extend_visibility(received(bench.queue), 0.0)
    last = received(bench.queue)
    assert last.receives == 5
    assert bench.queue.receive(["s"], lease=LEASE) is None
    bench.queue.ack(last)
    bench.pass_time(10 * LEASE)
    assert bench.queue.receive(["s"], lease=LEASE) is None
    assert bench.dead() == []


def test_a_poison_task_does_not_keep_the_next_one_waiting(bench: Bench) -> None:
    bench.queue.send([task(1)])
    for _ in range(5):
        bench.queue.extend_visibility(received(bench.queue), 0.0)
    bench.queue.send([task(2)])
    assert decode_task(received(bench.queue).body) == task(2)
    assert [letter.task for letter in bench.dead()] == [task(1)]


def test_a_buried_task_is_a_dead_letter_with_its_whole_cause_and_comes_no_more(bench: Bench) -> None:
    cause = Cause("body", "not JSON", page=3, status=200, body="dead/source=s/x.body", restart=True)
    bench.queue.send([task()])
    delivery = received(bench.queue)
    bench.queue.dead_letter(delivery, cause)
    bench.pass_time(10 * LEASE)
    assert bench.queue.receive(["s"], lease=LEASE) is None
    [letter] = bench.dead()
    assert (letter.cause, letter.task, letter.body, letter.receives) == (cause, task(), delivery.body, 1)


def test_a_dead_task_may_be_sent_anew_and_counts_from_one(bench: Bench) -> None:
    bench.queue.send([task()])
    bench.queue.dead_letter(received(bench.queue), Cause("http", "no"))
    assert bench.queue.send([task()]) == 1
    assert received(bench.queue).receives == 1


def test_each_source_has_its_own_queue(queue: Queue) -> None:
    queue.send([task(source="a"), task(source="b"), task(source="c")])
    assert received(queue, "b").queue == "b"
    assert queue.receive(["b"], lease=LEASE) is None
    assert queue.receive([], lease=LEASE) is None
    assert {received(queue, "a", "b", "c").queue for _ in range(2)} == {"a", "c"}


@exact
def test_tasks_come_in_the_order_in_which_they_became_visible(bench: Bench) -> None:
    bench.queue.send([task(4)], delay=10)
    bench.queue.send([task(day) for day in (3, 1)])
    held = received(bench.queue, lease=5)
    bench.pass_time(20)
    bench.queue.send([task(2)])
    assert decode_task(held.body) == task(3)
    assert all_tasks(bench.queue) == [task(1), task(3), task(4), task(2)]


def test_cancel_takes_back_what_is_of_those_dates_and_leaves_the_rest_as_it_was(bench: Bench) -> None:
    bench.queue.send([task(day) for day in range(1, 29)])
    bench.queue.send([task(29)], delay=60)
    held = received(bench.queue)
    assert bench.cancel("s", "2023-11-05", "2023-11-20")[0] == 16
    left = {decode_task(held.body).day, *(found.day for found in all_tasks(bench.queue))}
    assert left == {task(day).day for day in (*range(1, 5), *range(21, 29))}
