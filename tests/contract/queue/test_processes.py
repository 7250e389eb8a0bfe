"""Several processes share the queue in a file, and any of them may be killed at any point."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from option_a.ingest.task import Task, decode_task
from option_a.local.queue import SqliteQueue
from option_a.workspace.clock import SystemClock
from tests.contract.process import process, together
from tests.contract.queue.queues import LEASE, task
from tests.support.clock import FakeClock

PRELUDE = """
import os, signal, sys
from pathlib import Path
from option_a.ingest.ports import Cause
from option_a.workspace.clock import SystemClock
from option_a.local.queue import SqliteQueue
from tests.contract.queue.queues import LEASE, task
from tests.support.clock import FakeClock

path = Path(sys.argv[1])
"""
GATE = """
path.parent.mkdir(exist_ok=True)
(path.parent / f"ready-{sys.argv[2]}").touch()
while len(list(path.parent.glob("ready-*"))) < 4:
    pass
"""
DRAIN = """
queue = SqliteQueue(path, SystemClock())
while (delivery := queue.receive(["s"], lease=600)) is not None:
    print(delivery.receives, delivery.body.decode())
    queue.ack(delivery)
"""
SEND = """
queue = SqliteQueue(path, SystemClock())
print(sum(queue.send([task(run=f"20231114T220000Z-{number}")]) for number in range(100)))
"""
HOLD = """
print(SqliteQueue(path, FakeClock()).receive(["s"], lease=LEASE).receives, flush=True)
signal.pause()
"""
DIE_INSIDE = """
class Deadly(FakeClock):
    def now(self):
        if self.slept:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().now()

clock = Deadly()
queue = SqliteQueue(path, clock)
delivery = queue.receive(["s"], lease=LEASE)
clock.sleep(0)  # from now on: `dead_letter` asks for the time inside its transaction
queue.dead_letter(delivery, Cause("http", "no"))
"""


def tasks(count: int) -> list[Task]:
    return [task(run=f"20231114T220000Z-{number}") for number in range(count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "queue.sqlite"


def test_four_processes_drain_400_tasks_and_each_is_received_once(path: Path) -> None:
    queue = SqliteQueue(path, SystemClock())
    queue.send(tasks(400))
    lines = [line for answer in together(PRELUDE + GATE + DRAIN, 4, path) for line in answer.splitlines()]
    assert {line.split(" ", 1)[0] for line in lines} == {"1"}
    received = [decode_task(line.split(" ", 1)[1].encode()) for line in lines]
    assert sorted(received, key=str) == sorted(tasks(400), key=str)
    assert queue.depth() == []
    queue.close()


def test_processes_that_make_a_new_file_and_send_the_same_tasks_at_once_send_each_once(path: Path) -> None:
    counts = [int(answer) for answer in together(PRELUDE + GATE + SEND, 4, path)]
    assert sum(counts) == 100
    queue = SqliteQueue(path, SystemClock())
    assert [depth.visible for depth in queue.depth()] == [100]
    queue.close()


def test_what_a_killed_process_held_is_visible_again_after_its_lease(path: Path) -> None:
    clock = FakeClock()
    queue = SqliteQueue(path, clock)
    queue.send([task()])
    with process(PRELUDE + HOLD, path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "1\n"
        holder.send_signal(signal.SIGKILL)
        assert holder.wait() == -signal.SIGKILL
    assert queue.receive(["s"], lease=LEASE) is None
    clock.sleep(LEASE)
    delivery = queue.receive(["s"], lease=LEASE)
    assert delivery is not None
    assert delivery.receives == 2
    queue.close()


def test_a_process_killed_inside_a_transaction_leaves_no_lock_and_no_half_of_it(path: Path) -> None:
    clock = FakeClock()
    queue = SqliteQueue(path, clock, busy=0.05)
    queue.send([task()])
    with process(PRELUDE + DIE_INSIDE, path) as dying:
        assert dying.wait() == -signal.SIGKILL
    clock.sleep(LEASE)
    delivery = queue.receive(["s"], lease=LEASE)
    assert delivery is not None
    assert (delivery.receives, queue.dead_letters()) == (2, [])
    queue.close()
