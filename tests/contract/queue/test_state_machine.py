"""Whatever happens in whatever order, the queue in a file behaves as the one in memory does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, multiple, precondition, rule

from option_a.ingest.ports import Cause, DeadLetter
from option_a.ingest.task import Delivery, Task
from tests.contract.queue.queues import LEASE, MemoryBench, SqliteBench, task
from tests.support.queues.memory import MAX_RECEIVES

SOURCES = ("s", "t")
TASKS = st.builds(task, st.integers(1, 3), source=st.sampled_from(SOURCES), hop=st.integers(0, 2))
SECONDS = st.sampled_from([0.0, 1.0, LEASE - 1, LEASE, LEASE + 1])
Pair = tuple[Delivery, Delivery]


def settled(machine: SqliteQueueIsMemoryQueue) -> bool:
    """Whether no task is due to die: in which call after its last lease it does, each queue chooses for itself."""
    now = machine.model.clock.now()
    return not any(m.receives >= MAX_RECEIVES and m.visible_at <= now for m in machine.model.queue.messages)


SETTLED = precondition(settled)


class SqliteQueueIsMemoryQueue(RuleBasedStateMachine):
    """Does everything to both, and compares what they answer."""

    deliveries = Bundle[Pair]("deliveries")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = MemoryBench()
        self.real = SqliteBench(Path(self.folder.name) / "queue.sqlite")

    @SETTLED
    @rule(tasks=st.lists(TASKS, min_size=1, max_size=3), delay=SECONDS)
    def send(self, tasks: list[Task], delay: float) -> None:
        assert self.real.queue.send(tasks, delay=delay) == self.model.queue.send(tasks, delay=delay)

    @rule(target=deliveries, sources=st.lists(st.sampled_from(SOURCES), unique=True), lease=SECONDS)
    def receive(self, sources: list[str], lease: float) -> Pair | MultipleResults[Pair]:
        expected = self.model.queue.receive(sources, lease=lease)
        got = self.real.queue.receive(sources, lease=lease)
        if expected is None or got is None:
            assert got is expected
            return multiple()
        assert (got.queue, got.body, got.receives) == (expected.queue, expected.body, expected.receives)
        return expected, got

    @SETTLED
    @rule(pair=deliveries, seconds=SECONDS)
    def extend_visibility(self, pair: Pair, seconds: float) -> None:
        assert self.real.queue.extend_visibility(pair[1], seconds) == self.model.queue.extend_visibility(
            pair[0], seconds
        )

    @SETTLED
    @rule(pair=consumes(deliveries))
    def ack(self, pair: Pair) -> None:
        self.model.queue.ack(pair[0])
        self.real.queue.ack(pair[1])

    @SETTLED
    @rule(pair=deliveries)
    def dead_letter(self, pair: Pair) -> None:
        self.model.queue.dead_letter(pair[0], Cause("http", "no"))
        self.real.queue.dead_letter(pair[1], Cause("http", "no"))

    @rule(seconds=SECONDS)
    def pass_time(self, seconds: float) -> None:
        self.model.pass_time(seconds)
        self.real.pass_time(seconds)

    def teardown(self) -> None:
        """Work both off, then compare what has died."""
        try:
            self.pass_time(10 * LEASE)
            while (delivery := self.model.queue.receive(SOURCES, lease=LEASE)) is not None:
                self.model.queue.ack(delivery)
                same = self.real.queue.receive(SOURCES, lease=LEASE)
                assert same is not None
                assert same.body == delivery.body
                self.real.queue.ack(same)
            assert self.real.queue.receive(SOURCES, lease=LEASE) is None
            assert all(depth.live == 0 for depth in self.real.queue.depth())
            assert dead_partitions(self.real.dead()) == dead_partitions(self.model.dead())
        finally:
            self.real.close()
            self.folder.cleanup()


def dead_partitions(letters: list[DeadLetter]) -> set[object]:
    return {letter.task.partition for letter in letters if letter.task is not None}


TestSqliteQueueIsMemoryQueue = SqliteQueueIsMemoryQueue.TestCase
TestSqliteQueueIsMemoryQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
