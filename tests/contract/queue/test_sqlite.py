"""What the queue in a file has beyond the contract: it can be looked into, and its faults say the way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from option_a.ingest.errors import QueueError
from option_a.ingest.ports import Cause, Depth
from option_a.ingest.task import decode_task
from option_a.local.queue import SqliteQueue
from tests.contract.disks import Kind, on_disk
from tests.contract.queue.queues import LEASE, task
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "queue.sqlite"


@pytest.fixture
def queue(path: Path, clock: FakeClock) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(path, clock)
    yield queue
    queue.close()


def test_depth_tells_visible_delayed_in_flight_and_dead_by_queue(queue: SqliteQueue, clock: FakeClock) -> None:
    start = clock.now()
    queue.send([task(1, source="b"), task(2, source="b"), task(1, source="a")])
    clock.sleep(1)
    queue.send([task(3, source="b")], delay=60)
    queue.receive(["b"], lease=LEASE)
    dead = queue.receive(["a"], lease=LEASE)
    assert dead is not None
    queue.dead_letter(dead, Cause("http", "no"))
    assert queue.depth() == [Depth("a", dead=1), Depth("b", visible=1, delayed=1, in_flight=1, oldest=start)]
    assert [depth.live for depth in queue.depth()] == [0, 3]


def test_a_delivery_that_was_given_back_or_has_run_out_is_visible_in_the_depth(
    queue: SqliteQueue, clock: FakeClock
) -> None:
    queue.send([task(1), task(2)])
    first, second = queue.receive(["s"], lease=LEASE), queue.receive(["s"], lease=LEASE)
    assert first is not None
    assert second is not None
    queue.extend_visibility(first, 0.0)
    assert [(depth.visible, depth.in_flight) for depth in queue.depth()] == [(1, 1)]
    clock.sleep(LEASE)
    assert [(depth.visible, depth.in_flight) for depth in queue.depth()] == [(2, 0)]


def test_a_queue_holds_what_waits_is_delayed_or_in_other_hands(queue: SqliteQueue) -> None:
    assert not queue.has_tasks(["s", "t"])
    queue.send([task(1)], delay=60)
    assert queue.has_tasks(["t", "s"])
    assert not queue.has_tasks(["t"])
    assert not queue.has_tasks([])


def test_of_the_tasks_in_a_workers_hands_the_first_that_is_visible_again_is_told(
    queue: SqliteQueue, clock: FakeClock
) -> None:
    queue.send([task(1), task(2), task(1, source="t"), task(3)])
    assert queue.in_other_hands(["s", "t"]) is None, "they wait for anybody"
    first, second = queue.receive(["s"], lease=LEASE + 5), queue.receive(["s"], lease=LEASE)
    other = queue.receive(["t"], lease=1)
    assert (first is None, second is None, other is None) == (False, False, False)
    assert queue.in_other_hands(["s"]) == ("s", clock.now() + LEASE)
    assert queue.in_other_hands(["s", "t"]) == ("t", clock.now() + 1)
    clock.sleep(LEASE)
    assert queue.in_other_hands(["s", "t"]) == ("s", clock.now() + 5)
    clock.sleep(5)
    assert queue.in_other_hands(["s", "t"]) is None, "a claim that is over is nobody's"


def test_a_task_that_was_put_off_is_in_nobodys_hands(queue: SqliteQueue) -> None:
    queue.send([task(1)], delay=60)
    assert queue.in_other_hands(["s"]) is None


def test_a_task_is_received_past_those_of_other_sources_and_the_first_of_several_first(
    queue: SqliteQueue, clock: FakeClock
) -> None:
    for source in ("a", "b", "c"):
        queue.send([task(1, source=source), task(2, source=source)])
        clock.sleep(1)
    for wanted, first in ((["c", "b"], "b"), (["c"], "c"), (["c", "a", "b"], "a")):
        delivery = queue.receive(wanted, lease=LEASE)
        assert delivery is not None
        assert delivery.queue == first


def test_queued_partitions_are_those_with_a_live_task(queue: SqliteQueue) -> None:
    queue.send([task(1), task(2, hop=1), task(3)])
    queue.receive(["s"], lease=LEASE)
    acked = queue.receive(["s"], lease=LEASE)
    assert acked is not None
    queue.ack(acked)
    assert queue.queued() == {task(1).partition, task(3).partition}


def test_cancel_takes_back_the_dates_of_a_source_save_what_is_in_flight(queue: SqliteQueue, clock: FakeClock) -> None:
    queue.send([*(task(day) for day in (1, 2, 3, 4)), task(2, source="t")])
    queue.receive(["s"], lease=LEASE)
    queue.receive(["s"], lease=2 * LEASE)
    clock.sleep(LEASE)  # the first has run out and may be taken back; the second is still held
    assert queue.cancel("s", "2023-11-01", "2023-11-03") == (2, 1)
    assert queue.queued() == {task(2).partition, task(4).partition, task(2, source="t").partition}


def test_dead_letters_come_oldest_first_and_can_be_forgotten_one_by_one(queue: SqliteQueue, clock: FakeClock) -> None:
    queue.send([task(1), task(2)])
    for message in ("one", "two"):
        clock.sleep(1)
        delivery = queue.receive(["s"], lease=LEASE)
        assert delivery is not None
        queue.dead_letter(delivery, Cause("http", message, status=404))
    first, second = queue.dead_letters()
    assert (first.cause, second.cause) == (Cause("http", "one", status=404), Cause("http", "two", status=404))
    assert second.died_at == clock.now()
    queue.delete_dead_letters([first])
    assert queue.dead_letters() == [second]
    queue.delete_dead_letters([first, second])
    assert queue.depth() == []


def test_a_task_that_dies_twice_is_one_letter_with_its_last_cause(queue: SqliteQueue) -> None:
    for message in ("one", "two"):
        queue.send([task()])
        delivery = queue.receive(["s"], lease=LEASE)
        assert delivery is not None
        queue.dead_letter(delivery, Cause("http", message))
    assert [letter.cause.message for letter in queue.dead_letters()] == ["two"]


def test_a_message_that_nobody_can_read_is_delivered_dies_and_is_kept(queue: SqliteQueue, path: Path) -> None:
    queue.send([task()])
    with sqlite3.connect(path) as other:
        other.execute("UPDATE tasks SET body = ?", (b"\xff{",))
    other.close()
    assert queue.queued() == set()
    for _ in range(5):
        delivery = queue.receive(["s"], lease=0.0)
        assert delivery is not None
        assert delivery.body == b"\xff{"
    assert queue.receive(["s"], lease=LEASE) is None
    assert [(letter.body, letter.task) for letter in queue.dead_letters()] == [(b"\xff{", None)]


def test_a_durable_queue_holds_the_contract_and_another_opening_sees_it(path: Path, clock: FakeClock) -> None:
    durable = SqliteQueue(path, clock, durable=True)
    durable.send([task()])
    durable.close()
    again = SqliteQueue(path, clock)
    delivery = again.receive(["s"], lease=LEASE)
    again.close()
    assert delivery is not None
    assert decode_task(delivery.body) == task()


def test_a_file_that_is_no_database_is_called_damaged_and_left_alone(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "queue.sqlite"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(QueueError, match="not a database") as caught:
        SqliteQueue(path, clock)
    assert "move it away" in caught.value.hint
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"not a database" * 1000


def test_a_file_that_is_damaged_in_the_middle_is_called_so(queue: SqliteQueue, path: Path, clock: FakeClock) -> None:
    queue.send(task(day, run=f"20231114T220000Z-{n}") for day in range(1, 29) for n in range(20))
    queue.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(QueueError) as caught:
        SqliteQueue(path, clock).receive(["s"], lease=LEASE)
    assert "move it away" in caught.value.hint


def test_a_file_that_another_keeps_locked_is_an_error_that_says_so(queue: SqliteQueue, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    impatient = SqliteQueue(path, FakeClock(), busy=0.05)
    with pytest.raises(QueueError, match="locked") as caught:
        impatient.send([task()])
    assert "another process keeps it" in caught.value.hint
    other.execute("ROLLBACK")
    other.close()
    assert impatient.send([task()]) == 1
    impatient.close()


@pytest.mark.parametrize("place", ["file/queue.sqlite", "folder"])
def test_a_place_where_no_file_can_be_is_an_error_with_a_hint(tmp_path: Path, clock: FakeClock, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(QueueError) as caught:
        SqliteQueue(tmp_path / place, clock)
    assert "--home" in caught.value.hint


def test_a_queue_that_was_closed_raises_a_queue_error(queue: SqliteQueue) -> None:
    queue.close()
    with pytest.raises(QueueError):
        queue.depth()


SEND_UNTIL_IT_FAILS = """
import sys
from pathlib import Path
from option_a.ingest.errors import QueueError
from option_a.local.queue import SqliteQueue
from tests.contract.queue.queues import task
from tests.support.clock import FakeClock

taken = 0
try:
    queue = SqliteQueue(Path(sys.argv[1]) / "queue.sqlite", FakeClock())
    while taken < 100_000:
        taken += queue.send([task(run=f"20231114T220000Z-{taken}")])
except QueueError as error:
    print(error.hint)
    if taken:
        print(taken == sum(depth.live for depth in queue.depth()))
"""


@pytest.mark.parametrize(("kind", "then"), [("full", ["True"]), ("read-only", [])])
def test_a_disk_that_is_full_or_read_only_is_an_error_with_a_hint(tmp_path: Path, kind: Kind, then: list[str]) -> None:
    hint, *rest = on_disk(kind, tmp_path, SEND_UNTIL_IT_FAILS).splitlines()
    assert "is the disk full, read-only or not yours?" in hint
    assert rest == then
