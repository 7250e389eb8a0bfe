"""Simulates sources that are down for hours under many tasks and workers, for tests/prove/test_outage.py."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import Counter
from collections.abc import Callable
from random import Random

import msgspec
from obstore.store import MemoryStore

from option_a.ingest.config.source import Source
from option_a.ingest.events import ignore_events
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.manifest.verify import Verified, verify_partition
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import redrive_tasks
from option_a.ingest.plan.summary_reader import read_summaries
from option_a.ingest.ports import Clock
from option_a.ingest.resilience.retry import LONGEST_WAIT
from option_a.ingest.task import Task, run_id
from tests.support.inline_executor import InlineExecutor
from tests.support.simulation.apis import API_STYLES, Outage, SimulatedApis
from tests.support.simulation.faults import FaultRates
from tests.support.simulation.invariants import InvariantChecker
from tests.support.simulation.process import InspectableQueue, SimulationContext
from tests.support.simulation.scheduler import Scheduler, SchedulerClock
from tests.support.simulation.worker import SimulatedWorker

BEGIN = 1_700_000_000.0
HOUR = 3_600.0
STYLE = "page of a number"
LAMBDA = 900.0
SETTLING = LONGEST_WAIT + 5.0
"""Seconds after its circuit breaker opened in which requests already under way or about to be retried may arrive."""


class OutageKind(msgspec.Struct, frozen=True):
    """How an API is down, for how many hours, and from which second of the run."""

    what: str
    retry_after: float | None = None
    hours: float = 4.0
    after: float = 0.0


class OutageTrial:
    """Two sources, `tasks` partitions in all, `workers` at once; the outage begins with the work or during it."""

    def __init__(
        self,
        seed: int,
        down: OutageKind,
        queue: Callable[[Clock, Random], InspectableQueue],
        *,
        workers: int,
        tasks: int,
        lambdas: bool,
    ) -> None:
        rng = Random(seed)
        self.down = down
        self.scheduler = Scheduler(rng, BEGIN, most=500_000)
        self.queue = queue(SchedulerClock(self.scheduler), rng)
        self.sources = {
            name: msgspec.convert({"name": name, "url": "https://api.test/s", "date_param": "date", **served}, Source)
            for name, served in (("s0", API_STYLES[STYLE].fields), ("s1", API_STYLES[STYLE].fields))
        }
        self.apis = SimulatedApis(rng, dict.fromkeys(self.sources, STYLE))
        self.invariants = InvariantChecker(self.scheduler, self.queue, self.apis, self.sources)
        lake = BucketLake(MemoryStore(), "memory")
        self.context = SimulationContext(
            self.scheduler, FaultRates(), self.invariants, lake, self.queue, self.apis, self.sources,
            request_seconds=2.0, emit=ignore_events,
        )  # fmt: skip
        self.tasks = [
            Task(name, dt.date(2023, 11, 1) - dt.timedelta(days=n // 2), run_id(BEGIN, "n"))
            for n, name in zip(range(tasks), ["s0", "s1"] * tasks, strict=False)
        ]
        self.outcomes: Counter[str] = Counter()
        self.workers = [
            SimulatedWorker(self.context, LAMBDA if lambdas else None, self.outcomes) for _ in range(workers)
        ]
        self.over = BEGIN + down.after + down.hours * HOUR
        self.settled = 0.0
        """When nothing was left to do."""

    def run(self) -> OutageTrial:
        """Run until no task is left."""
        self.invariants.plan(self.tasks)
        self.queue.send(self.tasks)
        for name in self.sources:
            outage = Outage(BEGIN + self.down.after, self.over, self.down.retry_after, self.down.what)
            self.apis.outages[name] = [outage]
        return self._run_workers()

    def redrive_failed(self) -> OutageTrial:
        """Redrive what failed, after the outage, and work it off."""
        self.apis.outages.clear()
        letters = self.queue.dead_letters()
        failed = sorted({letter.task.partition for letter in letters if letter.task is not None})
        known = read_summaries(self.context.lake, failed, InlineExecutor(1))
        self.queue.send([item.task for item in redrive_tasks(failed, known, letters, run_id(self.scheduler.time, "r"))])
        self.queue.delete_dead_letters(letters)
        return self._run_workers()

    @property
    def landed(self) -> int:
        """The number of complete partitions in which verify finds no difference."""
        lake, whole = self.context.lake, 0
        for partition, manifest in self.invariants.manifests.items():
            whole += manifest.state == "complete" and not [
                *verify_partition(lake, partition, Verified(), InlineExecutor(1))
            ]
        return whole

    def asked(self, name: str) -> tuple[list[float], list[float]]:
        """When a source received requests while down: before its circuit breaker had settled, and after."""
        settled = self.invariants.opened[name] + SETTLING
        every = [moment for moment in self.apis.asked[name] if BEGIN + self.down.after <= moment < self.over]
        return [moment for moment in every if moment < settled], [moment for moment in every if moment >= settled]

    def failed(self) -> list[Partition]:
        """The partitions whose manifest says `failed`."""
        return sorted(p for p, manifest in self.invariants.manifests.items() if manifest.state == "failed")

    def _run_workers(self) -> OutageTrial:
        self._director = self.scheduler.spawn("director", self._run_script)
        for number, worker in enumerate(self.workers):
            worker.over = False
            worker.actor = self.scheduler.spawn(f"worker{number}", worker.run)
        self.scheduler.run()
        return self

    def _run_script(self) -> None:
        while self.queue.next_visible() is not None:
            self.scheduler.wait(self._director, 10.0)
        self.settled = self.scheduler.time
        for worker in self.workers:
            worker.over = True


def most_per_minute(moments: list[float]) -> int:
    """The most requests in any span of 60 s."""
    moments = sorted(moments)
    return max((bisect.bisect_left(moments, moment + 60.0) - n for n, moment in enumerate(moments)), default=0)
