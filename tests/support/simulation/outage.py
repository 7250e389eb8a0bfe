"""Sources that are down for hours, many tasks and several workers: what is asked meanwhile, and what lands."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import Counter
from collections.abc import Callable
from random import Random

import msgspec
from obstore.store import MemoryStore

from option_a.ingest.config.source import Source
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.manifest.verify import Verified, verify
from option_a.ingest.partition import Partition
from option_a.ingest.plan.plan import redrive
from option_a.ingest.plan.read_summaries import read_summaries
from option_a.ingest.ports import Clock
from option_a.ingest.resilience.retry import LONGEST_WAIT
from option_a.ingest.task import Task, run_id
from tests.support.inline_executor import InlineExecutor
from tests.support.simulation.api import SERVED, Apis, Outage
from tests.support.simulation.faults import Faults
from tests.support.simulation.law import Law
from tests.support.simulation.process import Setting, Watched
from tests.support.simulation.stage import Stage, StageClock
from tests.support.simulation.worker import Life

BEGIN = 1_700_000_000.0
HOUR = 3_600.0
STYLE = "page of a number"
LAMBDA = 900.0
SETTLING = LONGEST_WAIT + 5.0
"""Seconds after its breaker opened within which a request may come that was under way, or about to be made again."""


class Answers(msgspec.Struct, frozen=True):
    """How an API is down, for how many hours, and from which second of the run on."""

    what: str
    wish: float | None = None
    hours: float = 4.0
    after: float = 0.0


class Down:
    """Two sources, `tasks` partitions in all, `workers` at once; the outage begins with the work or amid it."""

    def __init__(
        self, seed: int, down: Answers, queue: Callable[[Clock, Random], Watched], *, workers: int, tasks: int,
        lambdas: bool,
    ) -> None:  # fmt: skip
        rng = Random(seed)
        self.down = down
        self.stage = Stage(rng, BEGIN, most=500_000)
        self.queue = queue(StageClock(self.stage), rng)
        self.sources = {
            name: msgspec.convert({"name": name, "url": "https://api.test/s", "date_param": "date", **served}, Source)
            for name, served in (("s0", SERVED[STYLE].fields), ("s1", SERVED[STYLE].fields))
        }
        self.apis = Apis(rng, dict.fromkeys(self.sources, STYLE))
        self.law = Law(self.stage, self.queue, self.apis, self.sources)
        lake = BucketLake(MemoryStore(), "memory")
        self.setting = Setting(
            self.stage, Faults(), self.law, lake, self.queue, self.apis, self.sources, slow=2.0,
            tell=lambda event: None,
        )  # fmt: skip
        self.tasks = [
            Task(name, dt.date(2023, 11, 1) - dt.timedelta(days=n // 2), run_id(BEGIN, "n"))
            for n, name in zip(range(tasks), ["s0", "s1"] * tasks, strict=False)
        ]
        self.outcomes: Counter[str] = Counter()
        self.lives = [Life(self.setting, LAMBDA if lambdas else None, self.outcomes) for _ in range(workers)]
        self.over = BEGIN + down.after + down.hours * HOUR
        self.settled = 0.0
        """When nothing was left to do."""

    def run(self) -> Down:
        """Until no task is left."""
        self.law.plan(self.tasks)
        self.queue.send(self.tasks)
        for name in self.sources:
            outage = Outage(BEGIN + self.down.after, self.over, self.down.wish, self.down.what)
            self.apis.outages[name] = [outage]
        return self._worked()

    def redriven(self) -> Down:
        """What failed is sent again, after the outage, and worked on."""
        self.apis.outages.clear()
        letters = self.queue.dead_letters()
        failed = sorted({letter.task.partition for letter in letters if letter.task is not None})
        known = read_summaries(self.setting.lake, failed, InlineExecutor(1))
        self.queue.send([item.task for item in redrive(failed, known, letters, run_id(self.stage.time, "r"))])
        self.queue.delete_dead_letters(letters)
        return self._worked()

    @property
    def landed(self) -> int:
        """Partitions that are complete, with every page as it was sent, and with no difference that verify finds."""
        lake, whole = self.setting.lake, 0
        for partition, manifest in self.law.manifests.items():
            whole += manifest.state == "complete" and not [*verify(lake, partition, Verified(), InlineExecutor(1))]
        return whole

    def asked(self, name: str) -> tuple[list[float], list[float]]:
        """When a source was asked while it was down: until its breaker was open to all, and from then on."""
        settled = self.law.opened[name] + SETTLING
        every = [moment for moment in self.apis.asked[name] if BEGIN + self.down.after <= moment < self.over]
        return [moment for moment in every if moment < settled], [moment for moment in every if moment >= settled]

    def failed(self) -> list[Partition]:
        """The partitions whose manifest says so."""
        return sorted(p for p, manifest in self.law.manifests.items() if manifest.state == "failed")

    def _worked(self) -> Down:
        self._director = self.stage.spawn("director", self._direct)
        for number, life in enumerate(self.lives):
            life.over = False
            life.actor = self.stage.spawn(f"worker{number}", life.play)
        self.stage.run()
        return self

    def _direct(self) -> None:
        while self.queue.next_visible() is not None:
            self.stage.wait(self._director, 10.0)
        self.settled = self.stage.time
        for life in self.lives:
            life.over = True


def within_a_minute(moments: list[float]) -> int:
    """The most requests in any span of 60 s."""
    moments = sorted(moments)
    return max((bisect.bisect_left(moments, moment + 60.0) - n for n, moment in enumerate(moments)), default=0)
